{% from "page_fragments.sql" import held_back %}
-- What is held back, by rule: how many orders, and the commission and fee that CJ still holds on them.
WITH {{ held_back(asked) }}

SELECT h.stage, h.rule, h.reason, o.advertiser_id, COUNT(*) AS orders, SUM(o.cost) AS cost, MIN(h.detail) AS detail
FROM held_back AS h
LEFT JOIN holding AS o ON o.order_id = h.order_id AND o.action_tracker_id = h.action_tracker_id
GROUP BY h.stage, h.rule, h.reason, o.advertiser_id
ORDER BY h.stage, h.rule, h.reason, o.advertiser_id
