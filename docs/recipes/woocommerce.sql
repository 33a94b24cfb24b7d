-- WooCommerce's orders from a copy of the shop's own tables (HPOS, in schema woocommerce), each touched order once and in its newest state.
-- See docs/recipes/woocommerce.md. Copy it, edit what `settings` and the lines marked EDIT hold, and name the copy in the Variable cj_order_changes_sql.
WITH settings AS (
    SELECT
        '1500001' AS enterprise_id,                     -- EDIT: CJ's enterprise id
        401 AS action_tracker_id,                       -- EDIT: CJ's action tracker
        '_cj_event' AS event_key,                       -- EDIT: the order's meta key that keeps CJ's click
        'wc_gc_giftcard_amount' AS gift_card_key,       -- EDIT: the meta key of a line by which a gift card is bought
        '_wcpay_mode' AS mode_key, 'test' AS test_mode  -- EDIT: the order's meta key and value of a test order
),

-- EDIT, up to `changes`: the tables, and how the connector marks what was deleted and when a row arrived (here as Airbyte does with CDC).
-- Orders and their refunds, deleted ones too: that a refund was deleted touches its order. Times are in UTC.
documents AS NOT MATERIALIZED (
    SELECT
        o.id, o.type, o.status, o.currency, o.parent_order_id, CAST(o.total_amount AS decimal(26, 8)) AS total,
        o.date_created_gmt AT TIME ZONE 'UTC' AS created_at, o.date_updated_gmt AT TIME ZONE 'UTC' AS updated_at,
        CAST(o._ab_cdc_deleted_at AS timestamp with time zone) AS deleted_at, o._ab_cdc_deleted_at IS NULL AS is_there, o._airbyte_extracted_at AS landed_at
    FROM woocommerce.wp_wc_orders AS o
),

document_meta AS NOT MATERIALIZED (
    SELECT m.order_id, m.meta_key, m.meta_value FROM woocommerce.wp_wc_orders_meta AS m WHERE m._ab_cdc_deleted_at IS NULL
),

-- Deleted ones too: an edit that takes a line off touches the order.
all_items AS NOT MATERIALIZED (
    SELECT
        i.order_item_id, i.order_id, i.order_item_type, i.order_item_name, i._airbyte_extracted_at AS landed_at,
        CAST(i._ab_cdc_deleted_at AS timestamp with time zone) AS deleted_at, i._ab_cdc_deleted_at IS NULL AS is_there
    FROM woocommerce.wp_woocommerce_order_items AS i
),

item_meta AS NOT MATERIALIZED (
    SELECT m.order_item_id, m.meta_key, m.meta_value FROM woocommerce.wp_woocommerce_order_itemmeta AS m WHERE m._ab_cdc_deleted_at IS NULL
),

products AS NOT MATERIALIZED (
    SELECT p.product_id, p.sku FROM woocommerce.wp_wc_product_meta_lookup AS p WHERE p._ab_cdc_deleted_at IS NULL
),

-- When something of an order changed, and when that arrived here.
changes AS (
    SELECT
        CASE WHEN d.type = 'shop_order_refund' THEN d.parent_order_id ELSE d.id END AS order_id,
        GREATEST(d.created_at, d.updated_at, d.deleted_at) AS happened_at, d.landed_at
    FROM documents AS d
    UNION ALL
    SELECT CASE WHEN d.type = 'shop_order_refund' THEN d.parent_order_id ELSE d.id END,
        GREATEST(d.created_at, d.updated_at, i.deleted_at), i.landed_at
    FROM all_items AS i
    INNER JOIN documents AS d ON d.id = i.order_id
),

-- (MATERIALIZED from here on: PostgreSQL cannot know how many orders are touched; guessing one, it would work out a part anew for each of them.)
-- Touched: it changed in the interval; or it changed up to three days earlier and arrived in the interval, after its own night had run.
touched AS (
    SELECT c.order_id, MAX(c.happened_at) AS updated_at
    FROM changes AS c
    GROUP BY c.order_id
    HAVING MAX(
        CASE
            WHEN c.happened_at >= :interval_start AND c.happened_at < :interval_end THEN 1
            WHEN c.landed_at >= :interval_start AND c.landed_at < :interval_end AND c.happened_at < :interval_end
                AND c.happened_at >= CAST(:interval_start AS timestamp with time zone) - INTERVAL '3 days' THEN 1
            ELSE 0
        END
    ) >= 1
),

order_meta AS MATERIALIZED (
    SELECT
        m.order_id, MAX(CASE WHEN m.meta_key = s.event_key THEN m.meta_value END) AS cj_event,
        MAX(CASE WHEN m.meta_key = s.mode_key AND m.meta_value = s.test_mode THEN 1 ELSE 0 END) = 1 AS is_test
    FROM document_meta AS m
    INNER JOIN touched AS t ON t.order_id = m.order_id
    CROSS JOIN settings AS s
    GROUP BY m.order_id
),

orders AS MATERIALIZED (
    SELECT
        s.enterprise_id, s.action_tracker_id, s.gift_card_key, d.id, d.status, d.currency, d.created_at, t.updated_at, m.cj_event,
        CAST(d.id AS text) AS reported_id,  -- EDIT: what CJ's tag reports as the order id; another number is in the meta of the plugin that gives it
        d.status IN ('wc-cancelled', 'trash') OR COALESCE(m.is_test, FALSE) AS is_cancelled,
        -- Nothing of it is left, and that may change again: a cancellation at CJ could not be undone.
        d.status IN ('wc-refunded', 'wc-failed') AS is_void
    FROM touched AS t
    INNER JOIN documents AS d ON d.id = t.order_id
    LEFT JOIN order_meta AS m ON m.order_id = d.id
    CROSS JOIN settings AS s
    -- Not placed yet, or not paid: CJ's tag is on the page that comes after.
    WHERE d.type = 'shop_order' AND d.is_there AND d.status NOT IN ('wc-pending', 'wc-checkout-draft', 'auto-draft', 'draft')
),

refunds AS MATERIALIZED (
    SELECT d.id, d.parent_order_id AS order_id, d.total
    FROM documents AS d
    INNER JOIN orders AS o ON o.id = d.parent_order_id
    WHERE d.type = 'shop_order_refund' AND d.is_there
),

-- What the lines of orders and refunds say in their meta. Amounts are without tax; a refund's are below zero.
items AS MATERIALIZED (
    SELECT
        i.order_id, i.order_item_id, i.order_item_type,
        MAX(CASE WHEN m.meta_key = '_qty' THEN CAST(NULLIF(m.meta_value, '') AS decimal(18, 4)) END) AS quantity,
        MAX(CASE WHEN m.meta_key = '_line_subtotal' THEN CAST(NULLIF(m.meta_value, '') AS decimal(18, 8)) END) AS before_code,
        MAX(CASE WHEN m.meta_key IN ('_line_total', 'cost') THEN CAST(NULLIF(m.meta_value, '') AS decimal(18, 8)) END) AS after_code,
        MAX(CASE WHEN m.meta_key IN ('_line_tax', 'total_tax') THEN CAST(NULLIF(m.meta_value, '') AS decimal(18, 8)) END) AS tax,
        MAX(CASE WHEN m.meta_key = '_refunded_item_id' THEN CAST(NULLIF(m.meta_value, '') AS bigint) END) AS refunded_item_id,
        MAX(CASE WHEN m.meta_key = '_product_id' THEN CAST(NULLIF(m.meta_value, '') AS bigint) END) AS product_id,
        MAX(CASE WHEN m.meta_key = '_variation_id' THEN CAST(NULLIF(m.meta_value, '') AS bigint) END) AS variation_id,
        MAX(CASE WHEN m.meta_key = s.gift_card_key THEN 1 ELSE 0 END) AS gift_card
    FROM all_items AS i
    INNER JOIN item_meta AS m ON m.order_item_id = i.order_item_id
    CROSS JOIN settings AS s
    WHERE i.is_there AND (i.order_id IN (SELECT o.id FROM orders AS o) OR i.order_id IN (SELECT r.id FROM refunds AS r))
    GROUP BY i.order_id, i.order_item_id, i.order_item_type
),

returned AS MATERIALIZED (
    SELECT i.refunded_item_id AS order_item_id, -SUM(i.quantity) AS pieces, -SUM(i.after_code) AS net
    FROM items AS i
    INNER JOIN refunds AS r ON r.id = i.order_id
    WHERE i.order_item_type = 'line_item'
    GROUP BY i.refunded_item_id
),

-- Money given back without a line: a refund's total, less what its lines, its shipping and its fees come to with tax. (Lines have more decimals than totals.)
given_back AS MATERIALIZED (
    SELECT g.order_id, GREATEST(SUM(g.amount), 0) AS amount, MAX(g.pieces) AS pieces
    FROM (
        SELECT
            r.order_id, -ROUND(r.total - COALESCE(SUM(i.after_code + COALESCE(i.tax, 0)), 0), 2) AS amount, -COALESCE(SUM(i.quantity), 0) AS pieces
        FROM refunds AS r
        LEFT JOIN items AS i ON i.order_id = r.id AND i.order_item_type IN ('line_item', 'shipping', 'fee')
        GROUP BY r.id, r.order_id, r.total
    ) AS g
    GROUP BY g.order_id
),

-- What is left of each commissionable line, before and after the order's codes. Fees, tips among them, and shipping are other types of items.
-- (Divided, then cast: DuckDB divides in floating point, which 8 decimals of an order's size survive; PostgreSQL divides exactly.)
lines AS (
    SELECT
        k.*,
        CASE WHEN k.line_before = k.line_after THEN k.after_code
            ELSE GREATEST(k.after_code, CAST(k.line_before * k.kept / k.quantity AS decimal(18, 8))) END AS before_code
    FROM (
        SELECT
            i.order_id, i.order_item_id, i.quantity, i.before_code AS line_before, i.after_code AS line_after,
            CAST(i.before_code / i.quantity AS decimal(18, 8)) AS unit_price,
            -- EDIT: what CJ's tag reports where a product has no SKU.
            COALESCE(
                NULLIF(TRIM(v.sku), ''), NULLIF(TRIM(p.sku), ''), CAST(NULLIF(i.variation_id, 0) AS text), CAST(NULLIF(i.product_id, 0) AS text), 'custom'
            ) AS sku,
            CASE WHEN o.is_void THEN 0 ELSE GREATEST(i.quantity - COALESCE(r.pieces, 0), 0) END AS kept,
            CASE WHEN o.is_void OR i.quantity <= COALESCE(r.pieces, 0) THEN 0 ELSE i.after_code - COALESCE(r.net, 0) END AS after_code
        FROM items AS i
        INNER JOIN orders AS o ON o.id = i.order_id
        LEFT JOIN products AS p ON p.product_id = i.product_id
        LEFT JOIN products AS v ON v.product_id = i.variation_id
        LEFT JOIN returned AS r ON r.order_item_id = i.order_item_id
        WHERE i.order_item_type = 'line_item' AND i.gift_card = 0 AND i.quantity > 0
    ) AS k
),

totals AS MATERIALIZED (
    SELECT
        l.order_id,
        -- A line without its price leaves the order without an amount: it is held back, not sent for too little.
        CASE WHEN COUNT(*) = COUNT(l.before_code) THEN SUM(l.before_code) END AS amount,
        SUM(l.before_code - l.after_code) AS code_discount,
        '[' || COALESCE(
            STRING_AGG(
                CASE WHEN l.kept > 0 THEN
                    '{"sku": ' || CAST(to_json(l.sku) AS text) || ', "quantity": ' || CAST(l.kept AS text) || ', "unit_price": "' || CAST(l.unit_price AS text)
                    || '", "line_total": "' || CAST(l.before_code AS text) || '"}'
                END, ', ' ORDER BY l.order_item_id
            ), ''
        ) || ']' AS items
    FROM lines AS l
    GROUP BY l.order_id
),

codes AS MATERIALIZED (
    SELECT i.order_id, i.order_item_name AS code, ROW_NUMBER() OVER (PARTITION BY i.order_id ORDER BY i.order_item_id) AS place
    FROM all_items AS i
    INNER JOIN orders AS o ON o.id = i.order_id
    WHERE i.order_item_type = 'coupon' AND i.is_there
)

SELECT
    o.enterprise_id, o.action_tracker_id, o.reported_id AS order_id,
    CASE
        WHEN o.is_cancelled THEN 'cancelled'
        -- WooCommerce does not say whether an order was edited; one that was not written again an hour after it was placed was not.
        WHEN NOT o.is_void AND g.order_id IS NULL AND o.updated_at < o.created_at + INTERVAL '1 hour' THEN 'new'
        ELSE 'restated'
    END AS change_type,
    TRUE AS was_new, o.created_at AS event_time, o.updated_at, t.amount,
    LEAST(t.amount, t.code_discount + COALESCE(g.amount, 0)) AS discount,
    o.currency, d.code AS coupon, t.items,
    CASE WHEN g.pieces > 0 AND NOT o.is_cancelled THEN 'ReturnedMerchandise' WHEN o.is_cancelled OR o.is_void OR g.order_id IS NOT NULL THEN 'Other' END
        AS correction_reason,
    -- Of an order whose payment failed CJ is told only where it knows it: without a click it is not created.
    CASE WHEN o.status <> 'wc-failed' THEN o.cj_event END AS cj_event
FROM orders AS o
-- Orders of nothing but gift cards are left out: CJ's tag has nothing to report of them.
INNER JOIN totals AS t ON t.order_id = o.id
LEFT JOIN given_back AS g ON g.order_id = o.id
LEFT JOIN codes AS d ON d.order_id = o.id AND d.place = 1
