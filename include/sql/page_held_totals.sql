{% from "page_fragments.sql" import held_back %}
-- What is held back, by rule: how many orders, and the commission and fee that CJ still holds on them.
WITH {{ held_back(asked) }}

SELECT p.stage, p.rule, p.reason, p.advertiser_id, COUNT(*) AS orders, SUM(p.cost) AS cost, MIN(p.detail) AS detail
FROM priced AS p
GROUP BY p.stage, p.rule, p.reason, p.advertiser_id
ORDER BY p.stage, p.rule, p.reason, p.advertiser_id
