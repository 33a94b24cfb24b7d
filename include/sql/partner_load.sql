-- What is new of cj.partner_incoming for :publisher_id: a row that was not there, or one that says something else than its newest version does.
INSERT INTO cj.partner_log (
    publisher_id, row_key, version, content_hash, transaction_id, order_id, commission_id, occurred_at, month, conversions, sale_amount, payout, currency,
    source, position, load_number, loaded_at
)
WITH newest AS (
    SELECT a.row_key, a.version, a.content_hash
    FROM (
        SELECT l.row_key, l.version, l.content_hash, ROW_NUMBER() OVER (PARTITION BY l.row_key ORDER BY l.version DESC) AS age
        FROM cj.partner_log AS l
        WHERE l.publisher_id = :publisher_id AND l.row_key IN (SELECT i.row_key FROM cj.partner_incoming AS i)
    ) AS a
    WHERE a.age = 1
),

told AS (
    SELECT i.*, LAG(i.content_hash) OVER (PARTITION BY i.row_key ORDER BY i.position) AS said_before
    FROM cj.partner_incoming AS i
)

SELECT
    CAST(:publisher_id AS text), t.row_key, COALESCE(n.version, 0) + ROW_NUMBER() OVER (PARTITION BY t.row_key ORDER BY t.position), t.content_hash, t.transaction_id,
    t.order_id, t.commission_id, t.occurred_at, t.month, t.conversions, t.sale_amount, t.payout, t.currency, CAST(:source AS text), t.position, CAST(:load_number AS bigint), CAST(:now AS timestamp with time zone)
FROM told AS t
LEFT JOIN newest AS n ON n.row_key = t.row_key
WHERE t.content_hash <> COALESCE(t.said_before, n.content_hash, '')
