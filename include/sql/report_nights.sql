-- The last nights' order states by verdict and currency, by the UTC day they were sent on; all runs.
SELECT CAST(submitted_at AT TIME ZONE 'UTC' AS date) AS day, status, advertiser_id, currency, count(*) AS orders, sum(submitted_amount) AS submitted
FROM cj.reconciliation
WHERE submitted_at >= :since
GROUP BY CAST(submitted_at AT TIME ZONE 'UTC' AS date), status, advertiser_id, currency
ORDER BY 1, 2, 3, 4
