-- How each account stands: its newest state, and how far and when its ledger was read last.
WITH newest AS (
    SELECT conn_id, enterprise_id, advertiser_id, currency, mode, reached, said, seen_at,
        ROW_NUMBER() OVER (PARTITION BY conn_id ORDER BY change DESC) AS age
    FROM cj.account_states
),

reads AS (SELECT advertiser_id, MAX(complete_until) AS complete_until, MAX(read_at) AS read_at FROM cj.ledger_reads GROUP BY advertiser_id)

SELECT n.conn_id, n.enterprise_id, n.advertiser_id, n.currency, n.mode, n.reached, n.said, n.seen_at, r.complete_until, r.read_at
FROM newest AS n
LEFT JOIN reads AS r ON r.advertiser_id = n.advertiser_id
WHERE n.age = 1
ORDER BY n.conn_id
