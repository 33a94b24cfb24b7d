-- Magento's orders (Open Source and Adobe Commerce) from a copy of its own tables (schema magento), each touched order once and in its newest state.
-- See docs/recipes/magento.md. Copy it, edit what `settings` and the lines marked EDIT hold, and name the copy in the Variable cj_order_changes_sql.
WITH settings AS (
    SELECT
        '1500001' AS enterprise_id,   -- EDIT: CJ's enterprise id
        401 AS action_tracker_id,     -- EDIT: CJ's action tracker
        'order' AS money,             -- EDIT: what CJ's tag reports: 'order' (the shopper's currency) or 'base' (the website's)
        999 AS test_store_id          -- EDIT: the store view for test orders
),

-- EDIT, up to `changes`: the tables, and how the connector marks what was deleted and when a row arrived (here as Fivetran does).
-- An edit makes a new order of an old one; all editions are one order at CJ, under the number that its tag reported.
editions AS NOT MATERIALIZED (
    SELECT
        o.entity_id, o.state, o.store_id, o.coupon_code, o.created_at, o.updated_at, o._fivetran_synced AS landed_at,
        o.order_currency_code, o.base_currency_code,
        COALESCE(o.original_increment_id, o.increment_id) AS reported_id,  -- EDIT: what CJ's tag reports as the order id
        o.original_increment_id IS NOT NULL AS is_edit, o.relation_child_id IS NOT NULL AS is_replaced,
        o.cj_event                                                         -- EDIT: the column in which an extension keeps CJ's click
    FROM magento.sales_order AS o
    WHERE NOT COALESCE(o._fivetran_deleted, FALSE)
),

items AS NOT MATERIALIZED (
    SELECT
        i.item_id, i.order_id, i.parent_item_id, i.product_type, i.sku, i.qty_ordered, COALESCE(i.qty_canceled, 0) AS qty_canceled,
        i.row_total, COALESCE(i.discount_amount, 0) AS discount, COALESCE(i.discount_tax_compensation_amount, 0) AS tax_in_discount,
        i.base_row_total, COALESCE(i.base_discount_amount, 0) AS base_discount, COALESCE(i.base_discount_tax_compensation_amount, 0) AS base_tax_in_discount,
        i.updated_at, i._fivetran_synced AS landed_at
    FROM magento.sales_order_item AS i
    WHERE NOT COALESCE(i._fivetran_deleted, FALSE)
),

-- Credit memos; those that were cancelled (state 3) do not count.
memos AS NOT MATERIALIZED (
    SELECT
        m.entity_id, m.order_id, COALESCE(m.adjustment_positive, 0) - COALESCE(m.adjustment_negative, 0) AS adjustment,
        COALESCE(m.base_adjustment_positive, 0) - COALESCE(m.base_adjustment_negative, 0) AS base_adjustment, m.created_at, m.updated_at,
        COALESCE(m.state, 0) <> 3 AS counts, m._fivetran_synced AS landed_at
    FROM magento.sales_creditmemo AS m
    WHERE NOT COALESCE(m._fivetran_deleted, FALSE)
),

memo_items AS NOT MATERIALIZED (
    SELECT
        b.parent_id AS memo_id, b.order_item_id, COALESCE(b.qty, 0) AS qty,
        COALESCE(b.row_total, 0) - COALESCE(b.discount_amount, 0) + COALESCE(b.discount_tax_compensation_amount, 0) AS net,
        COALESCE(b.base_row_total, 0) - COALESCE(b.base_discount_amount, 0) + COALESCE(b.base_discount_tax_compensation_amount, 0) AS base_net
    FROM magento.sales_creditmemo_item AS b
    WHERE NOT COALESCE(b._fivetran_deleted, FALSE)
),

-- When something of an order changed, and when that arrived here.
changes AS (
    SELECT e.reported_id, e.updated_at AS happened_at, e.landed_at FROM editions AS e
    UNION ALL
    SELECT e.reported_id, GREATEST(i.updated_at, e.created_at), i.landed_at FROM items AS i INNER JOIN editions AS e ON e.entity_id = i.order_id
    UNION ALL
    SELECT e.reported_id, GREATEST(m.created_at, m.updated_at), m.landed_at FROM memos AS m INNER JOIN editions AS e ON e.entity_id = m.order_id
),

-- (MATERIALIZED from here on: PostgreSQL cannot know how many orders are touched; guessing one, it would work out a part anew for each of them.)
-- Touched: it changed in the interval; or it changed up to three days earlier and arrived in the interval, after its own night had run.
touched AS (
    SELECT c.reported_id, MAX(c.happened_at) AS updated_at
    FROM changes AS c
    GROUP BY c.reported_id
    HAVING MAX(
        CASE
            WHEN c.happened_at >= :interval_start AND c.happened_at < :interval_end THEN 1
            WHEN c.landed_at >= :interval_start AND c.landed_at < :interval_end AND c.happened_at < :interval_end
                AND c.happened_at >= CAST(:interval_start AS timestamp with time zone) - INTERVAL '3 days' THEN 1
            ELSE 0
        END
    ) >= 1
),

-- What an edit does not take along: when the order was placed, and by which click.
origins AS MATERIALIZED (
    SELECT e.reported_id, MIN(e.created_at) AS placed_at, MAX(e.cj_event) AS cj_event
    FROM editions AS e
    INNER JOIN touched AS t ON t.reported_id = e.reported_id
    GROUP BY e.reported_id
),

orders AS MATERIALIZED (
    SELECT
        s.*, e.entity_id, e.reported_id, e.is_edit, e.coupon_code, t.updated_at, r.placed_at, r.cj_event,
        e.state = 'canceled' OR e.store_id = s.test_store_id AS is_cancelled,
        CASE WHEN s.money = 'order' THEN e.order_currency_code ELSE e.base_currency_code END AS currency
    FROM touched AS t
    INNER JOIN editions AS e ON e.reported_id = t.reported_id
    INNER JOIN origins AS r ON r.reported_id = t.reported_id
    CROSS JOIN settings AS s
    -- The newest edition alone; and not before it is paid where the payment is made on another page, since CJ's tag comes after.
    WHERE NOT e.is_replaced AND e.state <> 'pending_payment'
),

returned AS MATERIALIZED (
    SELECT b.order_item_id, SUM(b.qty) AS pieces, SUM(CASE WHEN o.money = 'order' THEN b.net ELSE b.base_net END) AS net
    FROM memo_items AS b
    INNER JOIN memos AS m ON m.entity_id = b.memo_id AND m.counts
    INNER JOIN orders AS o ON o.entity_id = m.order_id
    GROUP BY b.order_item_id
),

-- Money given back without a line (Adjustment Refund), less what was kept back (Adjustment Fee). Shipping that was given back has a column of its own.
given_back AS MATERIALIZED (
    SELECT
        m.order_id, COUNT(*) AS memos, GREATEST(SUM(CASE WHEN o.money = 'order' THEN m.adjustment ELSE m.base_adjustment END), 0) AS amount
    FROM memos AS m
    INNER JOIN orders AS o ON o.entity_id = m.order_id
    WHERE m.counts
    GROUP BY m.order_id
),

-- A configurable product is two items, of which the parent has the price; a bundle whose parts have prices is counted by its parts, any other by itself.
counted AS (
    SELECT
        i.order_id, i.item_id, i.sku, i.qty_ordered, i.qty_canceled, o.money,
        CASE WHEN o.money = 'order' THEN i.row_total ELSE i.base_row_total END AS gross,
        CASE WHEN o.money = 'order' THEN i.discount - i.tax_in_discount ELSE i.base_discount - i.base_tax_in_discount END AS discount
    FROM items AS i
    INNER JOIN orders AS o ON o.entity_id = i.order_id
    LEFT JOIN (
        SELECT c.parent_item_id, MAX(COALESCE(c.row_total, 0)) AS dearest
        FROM items AS c
        WHERE c.parent_item_id IS NOT NULL
        GROUP BY c.parent_item_id
    ) AS parts ON parts.parent_item_id = i.item_id
    WHERE i.product_type <> 'giftcard' AND i.qty_ordered > 0
        AND COALESCE(parts.dearest, 0) = 0 AND (i.parent_item_id IS NULL OR i.row_total > 0)
),

-- What is left of each line, before and after the order's rules and codes. Row totals are as Magento rounded them, and without tax.
-- (Divided, then cast: DuckDB divides in floating point, which 8 decimals of an order's size survive; PostgreSQL divides exactly.)
lines AS (
    SELECT
        k.*,
        CASE WHEN k.discount = 0 THEN k.after_code
            ELSE GREATEST(k.after_code, CAST(k.gross * k.kept / k.qty_ordered AS decimal(18, 8))) END AS before_code
    FROM (
        SELECT
            c.*, COALESCE(r.pieces, 0) AS returned, GREATEST(c.qty_ordered - c.qty_canceled - COALESCE(r.pieces, 0), 0) AS kept,
            CAST(c.gross / c.qty_ordered AS decimal(18, 8)) AS unit_price,
            CASE WHEN c.qty_ordered - c.qty_canceled > COALESCE(r.pieces, 0)
                THEN CAST((c.gross - c.discount) * (c.qty_ordered - c.qty_canceled) / c.qty_ordered AS decimal(18, 8)) - COALESCE(r.net, 0)
                ELSE 0 END AS after_code
        FROM counted AS c
        LEFT JOIN returned AS r ON r.order_item_id = c.item_id
    ) AS k
),

totals AS MATERIALIZED (
    SELECT
        l.order_id,
        -- A line without its price leaves the order without an amount: it is held back, not sent for too little.
        CASE WHEN COUNT(*) = COUNT(l.before_code) THEN SUM(l.before_code) END AS amount,
        SUM(l.before_code - l.after_code) AS code_discount, SUM(l.returned) AS returned, SUM(l.qty_canceled) AS qty_canceled,
        '[' || COALESCE(
            STRING_AGG(
                CASE WHEN l.kept > 0 THEN
                    '{"sku": ' || CAST(to_json(l.sku) AS text) || ', "quantity": ' || CAST(l.kept AS text) || ', "unit_price": "' || CAST(l.unit_price AS text)
                    || '", "line_total": "' || CAST(l.before_code AS text) || '"}'
                END, ', ' ORDER BY l.item_id
            ), ''
        ) || ']' AS items
    FROM lines AS l
    GROUP BY l.order_id
)

SELECT
    o.enterprise_id, o.action_tracker_id, o.reported_id AS order_id,
    CASE
        WHEN o.is_cancelled THEN 'cancelled'
        WHEN NOT o.is_edit AND g.memos IS NULL AND t.qty_canceled = 0 THEN 'new'
        ELSE 'restated'
    END AS change_type,
    TRUE AS was_new, o.placed_at AS event_time, o.updated_at, t.amount,
    LEAST(t.amount, t.code_discount + COALESCE(g.amount, 0)) AS discount,
    o.currency, o.coupon_code AS coupon, t.items,
    CASE WHEN t.returned > 0 AND NOT o.is_cancelled THEN 'ReturnedMerchandise' WHEN o.is_cancelled OR g.memos IS NOT NULL OR t.qty_canceled > 0 THEN 'Other' END
        AS correction_reason,
    o.cj_event
FROM orders AS o
-- Orders of nothing but gift cards are left out: CJ's tag has nothing to report of them.
INNER JOIN totals AS t ON t.order_id = o.entity_id
LEFT JOIN given_back AS g ON g.order_id = o.entity_id
