{% from "fragments.sql" import is_missing %}
-- Records of an order that could not be kept as CJ gave them.
SELECT a.commission_id, a.what, a.why, a.kept, a.set_aside_at, ({{ is_missing("a") }}) AS missing
FROM cj.ledger_set_aside AS a
WHERE a.order_id = :order_id AND COALESCE(a.action_tracker_id, :action_tracker_id) = :action_tracker_id
ORDER BY a.set_aside_at, a.commission_id
