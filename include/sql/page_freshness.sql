-- The newest reconciliation, and up to when Commission Detail has been read completely, for the advertiser that is furthest behind.
SELECT (SELECT MAX(r.checked_at) FROM cj.reconciliation_runs AS r) AS checked_at, MIN(reads.complete_until) AS complete_until
FROM (SELECT advertiser_id, MAX(complete_until) AS complete_until FROM cj.ledger_reads GROUP BY advertiser_id) AS reads
