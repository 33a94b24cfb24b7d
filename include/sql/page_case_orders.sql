{% from "fragments.sql" import same_order %}
-- The orders of one case, each with the verdict that its state has now; what comes before a page is passed over by its last row's key.
SELECT o.enterprise_id, o.action_tracker_id, o.order_id, o.updated_at, r.status, r.reason, r.submitted_amount, r.posted_amount, r.currency, r.commission_at_risk,
    r.locking_date
FROM cj.case_orders AS o
LEFT JOIN cj.reconciliation AS r ON {{ same_order("r", "o") }} AND r.updated_at = o.updated_at
WHERE o.case_id = :case
{% if "after" in asked %}
  AND (o.action_tracker_id, o.order_id, o.updated_at) > (:after_tracker, :after_order, :after_updated)
{% endif %}
ORDER BY o.action_tracker_id, o.order_id, o.updated_at
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
