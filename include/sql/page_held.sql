{% from "page_fragments.sql" import held_back %}
-- Orders held back, with the commission and fee that CJ still holds on them, most first: each with its place in the list.
{% if "totals" in asked %}
-- Before them, told by `orders`, what all of them come to by rule: what is held back is worked out once for both.
{% endif %}
{% set key = "-COALESCE(p.cost, -1), COALESCE(p.enterprise_id, ''), COALESCE(p.action_tracker_id, -1), COALESCE(p.order_id, ''), p.quarantined_at" %}
WITH {{ held_back(asked) }},

listed AS (
    SELECT ROW_NUMBER() OVER (ORDER BY {{ key }}) AS place,
        CAST(NULL AS bigint) AS orders, p.run_id, p.enterprise_id, p.action_tracker_id, p.order_id, p.updated_at, p.stage, p.rule, p.reason, p.detail,
        p.quarantined_at, p.advertiser_id, p.cost
    FROM priced AS p
{% if "after" in asked %}
    WHERE ({{ key }}) > (:after_cost, :after_enterprise, :after_tracker, :after_order, :after_at)
{% endif %}
)

{% if "totals" in asked %}
SELECT CAST(0 AS bigint) AS place, COUNT(*) AS orders, CAST(NULL AS text) AS run_id, CAST(NULL AS text) AS enterprise_id, CAST(NULL AS bigint) AS action_tracker_id,
    CAST(NULL AS text) AS order_id, CAST(NULL AS timestamp with time zone) AS updated_at, p.stage, p.rule, p.reason, MIN(p.detail) AS detail,
    CAST(NULL AS timestamp with time zone) AS quarantined_at, p.advertiser_id, SUM(p.cost) AS cost
FROM priced AS p
GROUP BY p.stage, p.rule, p.reason, p.advertiser_id
UNION ALL
{% endif %}
SELECT l.place, l.orders, l.run_id, l.enterprise_id, l.action_tracker_id, l.order_id, l.updated_at, l.stage, l.rule, l.reason, l.detail, l.quarantined_at,
    l.advertiser_id, l.cost
FROM listed AS l
{% if "rows" in asked %}
WHERE l.place <= :rows
{% endif %}
ORDER BY place
