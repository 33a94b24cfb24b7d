{% from "page_fragments.sql" import held_back %}
-- Orders held back, newest first, with the commission and fee that CJ still holds on them.
WITH {{ held_back(asked) }}

SELECT h.run_id, h.enterprise_id, h.action_tracker_id, h.order_id, h.updated_at, h.stage, h.rule, h.reason, h.detail, h.quarantined_at,
    o.advertiser_id, o.cost
FROM held_back AS h
LEFT JOIN holding AS o ON o.order_id = h.order_id AND o.action_tracker_id = h.action_tracker_id
{% if "after" in asked %}
WHERE (-COALESCE(o.cost, -1), COALESCE(h.enterprise_id, ''), COALESCE(h.action_tracker_id, -1), COALESCE(h.order_id, ''), h.quarantined_at)
    > (:after_cost, :after_enterprise, :after_tracker, :after_order, :after_at)
{% endif %}
ORDER BY -COALESCE(o.cost, -1), COALESCE(h.enterprise_id, ''), COALESCE(h.action_tracker_id, -1), COALESCE(h.order_id, ''), h.quarantined_at
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
