-- The last nights' order states by verdict, by the UTC day they were sent on; all runs.
SELECT CAST(submitted_at AT TIME ZONE 'UTC' AS date) AS day, status, count(*) AS orders
FROM cj.reconciliation
WHERE submitted_at >= :since
GROUP BY CAST(submitted_at AT TIME ZONE 'UTC' AS date), status
ORDER BY 1, 2
