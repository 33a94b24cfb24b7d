{% from "page_fragments.sql" import wanted_break %}
-- What the rows of a page of breaks come to, by account, verdict and reason.
SELECT r.advertiser_id, r.status, COALESCE(r.reason, 'unknown') AS reason, COUNT(*) AS orders, SUM(r.commission_at_risk) AS at_risk,
    SUM(CASE WHEN r.commission_at_risk IS NULL THEN 1 ELSE 0 END) AS unpriced
FROM cj.reconciliation AS r
WHERE {{ wanted_break("r", asked) }}
GROUP BY r.advertiser_id, r.status, COALESCE(r.reason, 'unknown')
ORDER BY r.advertiser_id, r.status, COALESCE(r.reason, 'unknown')
