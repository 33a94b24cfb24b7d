{% from "page_fragments.sql" import locks_at %}
-- The breaks that lock after :now and by :until, whenever they were sent, dearest first.
SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.status, r.reason, r.commission_at_risk, r.locking_date
FROM cj.reconciliation AS r
WHERE r.status IN ('mismatched', 'missing') AND {{ locks_at("r") }} > :now AND {{ locks_at("r") }} <= :until
ORDER BY r.commission_at_risk DESC NULLS LAST, r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
