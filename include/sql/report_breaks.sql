{% from "report_fragments.sql" import states %}
-- The breaks that cost most, then those that lock first. Never all rows.
SELECT
    r.advertiser_id, r.action_tracker_id, r.order_id, r.operation, r.status, r.reason,
    r.submitted_amount, r.posted_amount, r.difference, r.currency,
    r.submitted_at, r.locking_date, r.days_to_lock, r.commission_at_risk, r.attempts
FROM {{ states() }} AS r
WHERE r.status IN ('mismatched', 'missing')
ORDER BY
    r.commission_at_risk DESC NULLS LAST, r.days_to_lock ASC NULLS LAST,
    r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
LIMIT :top
