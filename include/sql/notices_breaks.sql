-- The breaks of the last nights, dearest first. Bound to :since, the first of those nights.
SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.status, r.reason, r.commission_at_risk, r.locking_date
FROM cj.reconciliation AS r
WHERE r.status IN ('mismatched', 'missing') AND r.submitted_at >= :since
ORDER BY r.commission_at_risk DESC NULLS LAST, r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
