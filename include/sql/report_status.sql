{% from "report_fragments.sql" import states %}
-- The right side of the balance: the verdict on each order state sent live. A null status means no reconciliation has looked at it yet.
SELECT
    r.status, r.reason, r.advertiser_id, r.currency,
    count(*) AS orders,
    sum(r.submitted_amount) AS submitted,
    sum(r.posted_amount) AS posted,
    sum(r.difference) AS difference,
    sum(r.commission_at_risk) AS at_risk,
    sum(CASE WHEN r.within_band AND r.status = 'matched' THEN 1 ELSE 0 END) AS within_band,
    sum(CASE WHEN NOT r.amount_checked AND r.status = 'matched' THEN 1 ELSE 0 END) AS unchecked,
    sum(CASE WHEN r.posted_amount IS NULL THEN 1 ELSE 0 END) AS not_compared,
    sum(CASE WHEN r.commission_at_risk IS NULL THEN 1 ELSE 0 END) AS unpriced
FROM {{ states() }} AS r
GROUP BY r.status, r.reason, r.advertiser_id, r.currency
ORDER BY r.status, r.reason, r.advertiser_id, r.currency
