-- The newest verdict replaces the one before; cj.verdicts holds this round's. An unknown outcome that posted was accepted; one whose hour is
-- over and which did not post is settled, and may be planned again. A verdict is on the newest attempt of its state: an attempt before it was
-- settled as not posted when that one was planned, and does not become accepted because the later one arrived.
DELETE FROM cj.reconciliation
WHERE EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE v.enterprise_id = cj.reconciliation.enterprise_id AND v.action_tracker_id = cj.reconciliation.action_tracker_id
      AND v.order_id = cj.reconciliation.order_id AND v.updated_at = cj.reconciliation.updated_at
);

INSERT INTO cj.reconciliation (
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at
)
SELECT
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at
FROM cj.verdicts;

UPDATE cj.submissions SET outcome = 'accepted', settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE v.enterprise_id = cj.submissions.enterprise_id AND v.action_tracker_id = cj.submissions.action_tracker_id
      AND v.order_id = cj.submissions.order_id AND v.updated_at = cj.submissions.updated_at AND v.status IN ('matched', 'mismatched')
      AND v.submitted_at = cj.submissions.submitted_at
);

UPDATE cj.submissions SET settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND settled_at IS NULL AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE v.enterprise_id = cj.submissions.enterprise_id AND v.action_tracker_id = cj.submissions.action_tracker_id
      AND v.order_id = cj.submissions.order_id AND v.updated_at = cj.submissions.updated_at
      AND (v.status IN ('late', 'missing', 'superseded') OR v.submitted_at > cj.submissions.submitted_at)
)
