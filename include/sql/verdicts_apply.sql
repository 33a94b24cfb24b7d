-- Every change of verdict is appended to cj.verdicts_log, told against its own newest row: cj.reconciliation may have been emptied and judged anew.
-- Where the log has no row of a state yet, it begins with the verdict that stood before.
INSERT INTO cj.verdicts_log (
    enterprise_id, action_tracker_id, order_id, updated_at, advertiser_id, run_id, operation, submitted_at, change, status, reason,
    posted_amount, difference, commission_at_risk, checked_at
)
SELECT
    r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.advertiser_id, r.run_id, r.operation, r.submitted_at, 1, r.status, r.reason,
    r.posted_amount, r.difference, r.commission_at_risk, r.checked_at
FROM cj.reconciliation AS r
INNER JOIN cj.verdicts AS v
    ON v.enterprise_id = r.enterprise_id AND v.action_tracker_id = r.action_tracker_id AND v.order_id = r.order_id AND v.updated_at = r.updated_at
WHERE (v.status <> r.status OR COALESCE(v.reason, '') <> COALESCE(r.reason, ''))
  AND NOT EXISTS (
      SELECT 1 FROM cj.verdicts_log AS l
      WHERE l.enterprise_id = r.enterprise_id AND l.action_tracker_id = r.action_tracker_id AND l.order_id = r.order_id
        AND l.updated_at = r.updated_at
  );

INSERT INTO cj.verdicts_log (
    enterprise_id, action_tracker_id, order_id, updated_at, advertiser_id, run_id, operation, submitted_at, change, status, reason,
    status_before, reason_before, posted_amount, difference, commission_at_risk, checked_at
)
WITH logged AS (
    SELECT l.enterprise_id, l.action_tracker_id, l.order_id, l.updated_at, l.change, l.status, l.reason,
        ROW_NUMBER() OVER (PARTITION BY l.enterprise_id, l.action_tracker_id, l.order_id, l.updated_at ORDER BY l.change DESC) AS age
    FROM cj.verdicts_log AS l
    INNER JOIN cj.verdicts AS v
        ON v.enterprise_id = l.enterprise_id AND v.action_tracker_id = l.action_tracker_id AND v.order_id = l.order_id
        AND v.updated_at = l.updated_at
)

SELECT
    v.enterprise_id, v.action_tracker_id, v.order_id, v.updated_at, v.advertiser_id, v.run_id, v.operation, v.submitted_at,
    COALESCE(l.change, 0) + 1, v.status, v.reason, l.status, l.reason, v.posted_amount, v.difference, v.commission_at_risk, v.checked_at
FROM cj.verdicts AS v
LEFT JOIN logged AS l
    ON l.enterprise_id = v.enterprise_id AND l.action_tracker_id = v.action_tracker_id AND l.order_id = v.order_id AND l.updated_at = v.updated_at
    AND l.age = 1
LEFT JOIN cj.reconciliation AS r
    ON r.enterprise_id = v.enterprise_id AND r.action_tracker_id = v.action_tracker_id AND r.order_id = v.order_id AND r.updated_at = v.updated_at
WHERE CASE
    WHEN l.change IS NOT NULL THEN v.status <> l.status OR COALESCE(v.reason, '') <> COALESCE(l.reason, '')
    ELSE r.status IS NULL
END;

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
    difference, currency, submitted_at, plan_number, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at, reading, rate, amount_checked
)
SELECT
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, plan_number, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at, reading, rate, amount_checked
FROM cj.verdicts;

UPDATE cj.submissions SET outcome = 'accepted', settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE v.enterprise_id = cj.submissions.enterprise_id AND v.action_tracker_id = cj.submissions.action_tracker_id
      AND v.order_id = cj.submissions.order_id AND v.updated_at = cj.submissions.updated_at AND v.status IN ('matched', 'mismatched')
      AND v.plan_number = cj.submissions.plan_number
);

UPDATE cj.submissions SET settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND settled_at IS NULL AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE v.enterprise_id = cj.submissions.enterprise_id AND v.action_tracker_id = cj.submissions.action_tracker_id
      AND v.order_id = cj.submissions.order_id AND v.updated_at = cj.submissions.updated_at
      AND (v.status IN ('late', 'missing', 'superseded') OR v.plan_number > cj.submissions.plan_number)
)
