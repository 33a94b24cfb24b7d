{% from "page_fragments.sql" import held_back %}
-- Orders held back, with the commission and fee that CJ still holds on them, most first.
WITH {{ held_back(asked) }}

SELECT p.run_id, p.enterprise_id, p.action_tracker_id, p.order_id, p.updated_at, p.stage, p.rule, p.reason, p.detail, p.quarantined_at, p.advertiser_id, p.cost
FROM priced AS p
{% if "after" in asked %}
WHERE (-COALESCE(p.cost, -1), COALESCE(p.enterprise_id, ''), COALESCE(p.action_tracker_id, -1), COALESCE(p.order_id, ''), p.quarantined_at)
    > (:after_cost, :after_enterprise, :after_tracker, :after_order, :after_at)
{% endif %}
ORDER BY -COALESCE(p.cost, -1), COALESCE(p.enterprise_id, ''), COALESCE(p.action_tracker_id, -1), COALESCE(p.order_id, ''), p.quarantined_at
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
