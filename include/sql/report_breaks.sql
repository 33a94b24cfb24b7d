{% from "fragments.sql" import same_order %}
-- The breaks that cost most, then those that lock first. Never all rows.
WITH sent AS (
    SELECT DISTINCT enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs) AND mode = 'live' AND outcome IN ('accepted', 'unknown')
)
SELECT
    r.advertiser_id, r.action_tracker_id, r.order_id, r.operation, r.status, r.reason,
    r.submitted_amount, r.posted_amount, r.difference, r.currency,
    r.submitted_at, r.locking_date, r.days_to_lock, r.commission_at_risk, r.attempts
FROM sent AS s
INNER JOIN cj.reconciliation AS r
    ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at
WHERE r.status IN ('mismatched', 'missing')
ORDER BY
    r.commission_at_risk DESC NULLS LAST, r.days_to_lock ASC NULLS LAST,
    r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
LIMIT :top
