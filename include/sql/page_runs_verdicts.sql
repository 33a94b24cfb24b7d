-- What became of what runs have sent live, in order states and money.
SELECT r.run_id, r.advertiser_id, r.status, COUNT(*) AS orders, SUM(r.commission_at_risk) AS at_risk, MIN(r.posted_at) AS first_posted_at,
    MAX(r.posted_at) AS last_posted_at, MAX(r.checked_at) AS checked_at
FROM cj.reconciliation AS r
WHERE r.run_id IN (:runs)
GROUP BY r.run_id, r.advertiser_id, r.status
ORDER BY r.run_id, r.status, r.advertiser_id
