-- The orders of one batch, by account, the UTC day of their lock and finding. No day where CJ sets none.
SELECT f.advertiser_id, f.finding,
    CASE WHEN f.locking_date < CAST('{{ no_lock_from }}' AS timestamp with time zone) THEN CAST(CAST(f.locking_date AT TIME ZONE 'UTC' AS date) AS text) END AS locks_on,
    MIN(f.locking_date) AS first_lock, COUNT(*) AS orders, COUNT(*) - COUNT(f.at_stake) AS unpriced, CAST(SUM(f.held_cost) AS decimal(38, 10)) AS held_cost,
    CAST(SUM(f.at_stake) AS decimal(38, 10)) AS at_stake
FROM cj.prelock_found AS f
GROUP BY f.advertiser_id, f.finding, locks_on
