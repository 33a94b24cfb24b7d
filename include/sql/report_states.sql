{% from "fragments.sql" import same_order %}
-- The order states that a report is about, gathered once: sent live by its runs and not refused, each with the verdict on it. No status means that no
-- reconciliation has looked at it yet.
INSERT INTO cj.report_states (
    enterprise_id, action_tracker_id, order_id, updated_at, advertiser_id, operation, status, reason, submitted_amount, posted_amount, difference,
    currency, submitted_at, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, amount_checked
)
SELECT
    s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at, r.advertiser_id, r.operation, r.status, r.reason, r.submitted_amount, r.posted_amount,
    r.difference, r.currency, r.submitted_at, r.posted_at, r.locking_date, r.days_to_lock, r.commission_at_risk, r.attempts, r.within_band,
    r.amount_checked
FROM (
    SELECT DISTINCT enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs) AND mode = 'live' AND outcome IN ('accepted', 'unknown')
) AS s
LEFT JOIN cj.reconciliation AS r
    ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at
