{% from "fragments.sql" import same_order %}
-- The breaks of cj.case_breaks, each with every time it was sent, group by group as cases are made of them.
SELECT r.enterprise_id, r.advertiser_id, r.action_tracker_id, r.order_id, r.updated_at, r.operation, r.status, r.reason, r.submitted_amount, r.posted_amount,
    r.currency, r.commission_at_risk, r.locking_date, s.submitted_at, s.submission_id, s.batch_id, s.outcome, s.error_message,
    s.discount, s.coupon
FROM cj.case_breaks AS r
LEFT JOIN cj.submissions AS s
    ON {{ same_order("s", "r") }} AND s.updated_at = r.updated_at AND s.mode = 'live'
ORDER BY r.enterprise_id, r.status, r.operation, r.reason, r.commission_at_risk DESC NULLS LAST, r.action_tracker_id, r.order_id, r.updated_at,
    s.submitted_at, s.submission_id
