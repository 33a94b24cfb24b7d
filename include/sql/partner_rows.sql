-- The rows of :publisher_id that count: those since :since and whatever belongs to them, each in its newest version. A row that names no order is of the
-- order its click's other rows name, where they name one alone.
INSERT INTO cj.partner_rows (
    unit, order_id, commission_id, transaction_id, occurred_at, month, conversions, sale_amount, payout, currency, load_number, position
)
WITH near AS (
    SELECT l.row_key, l.order_id, l.transaction_id
    FROM cj.partner_log AS l
    WHERE l.publisher_id = :publisher_id AND l.occurred_at >= :since
    UNION
    -- Of an order that was corrected since, however old it is.
    SELECT l.row_key, l.order_id, l.transaction_id
    FROM cj.partner_log AS l
    INNER JOIN cj.commissions AS c ON c.order_id = l.order_id
    WHERE l.publisher_id = :publisher_id AND c.publisher_id = :publisher_id AND c.posting_date >= :since
),

picked AS (
    SELECT n.row_key FROM near AS n
    UNION
    SELECT l.row_key FROM cj.partner_log AS l WHERE l.publisher_id = :publisher_id AND l.order_id IN (SELECT n.order_id FROM near AS n)
    UNION
    SELECT l.row_key
    FROM cj.partner_log AS l
    WHERE l.publisher_id = :publisher_id AND l.transaction_id IN (SELECT n.transaction_id FROM near AS n)
),

versions AS (
    SELECT l.*, ROW_NUMBER() OVER (PARTITION BY l.row_key ORDER BY l.version DESC) AS age
    FROM cj.partner_log AS l
    INNER JOIN picked AS p ON p.row_key = l.row_key
    WHERE l.publisher_id = :publisher_id
),

clicks AS (
    SELECT v.transaction_id, CASE WHEN COUNT(DISTINCT v.order_id) = 1 THEN MIN(v.order_id) END AS order_id,
        CASE WHEN COUNT(DISTINCT v.commission_id) = 1 THEN MIN(v.commission_id) END AS commission_id
    FROM versions AS v
    WHERE v.age = 1 AND v.transaction_id IS NOT NULL
    GROUP BY v.transaction_id
),

named AS (
    SELECT v.*, COALESCE(v.order_id, c.order_id) AS named_order_id,
        CASE WHEN COALESCE(v.order_id, c.order_id) IS NULL THEN COALESCE(v.commission_id, c.commission_id) ELSE v.commission_id END AS named_commission_id
    FROM versions AS v
    LEFT JOIN clicks AS c ON c.transaction_id = v.transaction_id
    WHERE v.age = 1
)

SELECT
    CASE
        WHEN n.month IS NOT NULL THEN 'month:' || n.month
        WHEN n.named_order_id IS NOT NULL THEN 'order:' || n.named_order_id
        WHEN n.named_commission_id IS NOT NULL THEN 'commission:' || n.named_commission_id
        WHEN n.transaction_id IS NOT NULL THEN 'transaction:' || n.transaction_id
        ELSE 'row:' || n.row_key
    END,
    n.named_order_id, n.named_commission_id, n.transaction_id, n.occurred_at, n.month, n.conversions, n.sale_amount, n.payout, n.currency, n.load_number,
    n.position
FROM named AS n
