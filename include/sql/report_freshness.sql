-- Up to when Commission Detail has been read completely, for the advertiser that is furthest behind.
SELECT min(complete_until) AS complete_until
FROM (SELECT advertiser_id, max(complete_until) AS complete_until FROM cj.ledger_reads GROUP BY advertiser_id) AS reads
