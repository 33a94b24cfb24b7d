-- Orders held back before CJ, each once and by its newest row, with the commission and fee CJ still holds on them.
-- Rows without an order id cannot be told apart, so each of them counts.
WITH numbered AS (
    SELECT
        stage, rule, reason, detail, action_tracker_id, order_id,
        row_number() OVER (
            PARTITION BY enterprise_id, action_tracker_id, order_id
            ORDER BY quarantined_at DESC, updated_at DESC, run_id DESC, stage, rule, reason, detail
        ) AS newest
    FROM cj.quarantine
    WHERE run_id IN (:runs)
),
once AS (
    SELECT stage, rule, reason, detail, action_tracker_id, order_id
    FROM numbered
    WHERE newest = 1 OR order_id IS NULL OR action_tracker_id IS NULL
),
holding AS (
    SELECT
        c.action_tracker_id, c.order_id, max(c.advertiser_id) AS advertiser_id,
        sum(coalesce(c.adv_commission_amount, 0) + coalesce(c.cj_fee, 0)) AS cost
    FROM cj.commissions AS c
    INNER JOIN (SELECT DISTINCT action_tracker_id, order_id FROM once) AS h
        ON c.action_tracker_id = h.action_tracker_id AND c.order_id = h.order_id
    GROUP BY c.action_tracker_id, c.order_id
)
SELECT h.stage, h.rule, h.reason, holding.advertiser_id, count(*) AS orders, sum(holding.cost) AS cost, min(h.detail) AS detail
FROM once AS h
LEFT JOIN holding ON holding.action_tracker_id = h.action_tracker_id AND holding.order_id = h.order_id
GROUP BY h.stage, h.rule, h.reason, holding.advertiser_id
ORDER BY h.stage, h.rule, h.reason, holding.advertiser_id
