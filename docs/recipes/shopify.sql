-- Shopify's orders as Fivetran lands them (schema shopify), each touched order once and in its newest state. See docs/recipes/shopify.md.
-- Copy it, edit what `settings` and the lines marked EDIT hold, and name the copy in the Variable cj_order_changes_sql.
WITH settings AS (
    SELECT
        '1500001' AS enterprise_id,         -- EDIT: CJ's enterprise id
        401 AS action_tracker_id,           -- EDIT: CJ's action tracker
        'presentment_money' AS money,       -- EDIT: what CJ's tag reports: presentment_money (the shopper's currency) or shop_money
        'cj_event' AS event_attribute,      -- EDIT: the note attribute that keeps CJ's click
        'Tip' AS tip_title                  -- EDIT: the title of a tip's line in the shop's language
),

-- When something of an order changed, and when that arrived here.
changes AS (
    SELECT o.id AS order_id, o.updated_at AS happened_at, o._fivetran_synced AS landed_at FROM shopify."order" AS o
    UNION ALL
    SELECT l.order_id, o.updated_at, l._fivetran_synced FROM shopify.order_line AS l INNER JOIN shopify."order" AS o ON o.id = l.order_id
    UNION ALL
    SELECT r.order_id, r.created_at, r._fivetran_synced FROM shopify.refund AS r
    UNION ALL
    SELECT r.order_id, r.created_at, b._fivetran_synced FROM shopify.order_line_refund AS b INNER JOIN shopify.refund AS r ON r.id = b.refund_id
    UNION ALL
    SELECT r.order_id, r.created_at, a._fivetran_synced FROM shopify.order_adjustment AS a INNER JOIN shopify.refund AS r ON r.id = a.refund_id
    UNION ALL
    SELECT t.order_id, t.created_at, t._fivetran_synced FROM shopify."transaction" AS t
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

orders AS MATERIALIZED (
    SELECT
        s.*, o.id, o.created_at, o.taxes_included, o.cancelled_at, o.cancel_reason, o.test AS is_test,
        REPLACE(o.name, '#', '') AS reported_id,  -- EDIT: what CJ's tag reports as the order id; CAST(o.id AS text) where it is the id
        CASE WHEN s.money = 'presentment_money' THEN COALESCE(o.presentment_currency, o.currency) ELSE o.currency END AS currency,
        CAST((CAST(o.total_line_items_price_set AS json) -> s.money) ->> 'amount' AS decimal(18, 4)) AS placed_for,
        t.updated_at
    FROM touched AS t
    INNER JOIN shopify."order" AS o ON o.id = t.order_id
    CROSS JOIN settings AS s
    WHERE NOT COALESCE(o._fivetran_deleted, FALSE)
),

-- A code on the whole order is CJ's order discount; what was taken off single lines is those lines' own.
allocated AS MATERIALIZED (
    SELECT
        d.order_line_id,
        SUM(CASE WHEN p.allocation_method = 'across' THEN d.amount ELSE 0 END) AS share,
        SUM(CASE WHEN p.allocation_method = 'across' THEN 0 ELSE d.amount END) AS own
    FROM (
        SELECT
            a.order_line_id, l.order_id, a.discount_application_index,
            CAST(CASE WHEN o.money = 'presentment_money' THEN a.amount_set_presentment_money_amount ELSE a.amount_set_shop_money_amount END AS decimal(18, 4)) AS amount
        FROM shopify.discount_allocation AS a
        INNER JOIN shopify.order_line AS l ON l.id = a.order_line_id
        INNER JOIN orders AS o ON o.id = l.order_id
    ) AS d
    LEFT JOIN shopify.discount_application AS p ON p.order_id = d.order_id AND p."index" = d.discount_application_index
    GROUP BY d.order_line_id
),

taxed AS MATERIALIZED (
    SELECT
        x.order_line_id, SUM(CAST((CAST(x.price_set AS json) -> o.money) ->> 'amount' AS decimal(18, 4))) AS tax,
        SUM(CAST(x.rate AS decimal(10, 6))) AS rate
    FROM shopify.tax_line AS x
    INNER JOIN shopify.order_line AS l ON l.id = x.order_line_id
    INNER JOIN orders AS o ON o.id = l.order_id
    GROUP BY x.order_line_id
),

-- What came back of a line, or was taken off it by an edit: pieces, and their money after every discount, without tax.
returned AS MATERIALIZED (
    SELECT
        b.order_line_id, CAST(SUM(b.quantity) AS bigint) AS pieces,
        MAX(CASE WHEN b.restock_type = 'return' THEN 1 ELSE 0 END) AS goods_came_back,
        SUM(
            CAST((CAST(b.subtotal_set AS json) -> o.money) ->> 'amount' AS decimal(18, 4))
            - CASE WHEN o.taxes_included THEN CAST((CAST(b.total_tax_set AS json) -> o.money) ->> 'amount' AS decimal(18, 4)) ELSE 0 END
        ) AS net
    FROM shopify.order_line_refund AS b
    INNER JOIN shopify.order_line AS l ON l.id = b.order_line_id
    INNER JOIN orders AS o ON o.id = l.order_id
    GROUP BY b.order_line_id
),

-- Every line, tips and gift cards too: what it came to, tax included where the shop's prices include it.
every_line AS (
    SELECT
        l.order_id, l.id, CAST(l.quantity AS bigint) AS quantity, o.taxes_included,
        -- EDIT: what CJ's tag reports where a line has no SKU.
        COALESCE(NULLIF(TRIM(l.sku), ''), CAST(l.variant_id AS text), 'custom') AS sku,
        NOT (COALESCE(l.gift_card, FALSE) OR (l.title = o.tip_title AND l.variant_id IS NULL)) AS commissionable,
        CAST((CAST(l.price_set AS json) -> o.money) ->> 'amount' AS decimal(18, 4)) * CAST(l.quantity AS bigint) AS gross,
        COALESCE(a.own, 0) AS own, COALESCE(a.share, 0) AS share, COALESCE(x.tax, 0) AS tax,
        CASE WHEN o.taxes_included THEN 1 + COALESCE(x.rate, 0) ELSE 1 END AS tax_factor,
        COALESCE(r.pieces, 0) AS returned, COALESCE(r.net, 0) AS returned_net, COALESCE(r.goods_came_back, 0) AS goods_came_back
    FROM shopify.order_line AS l
    INNER JOIN orders AS o ON o.id = l.order_id
    LEFT JOIN allocated AS a ON a.order_line_id = l.id
    LEFT JOIN taxed AS x ON x.order_line_id = l.id
    LEFT JOIN returned AS r ON r.order_line_id = l.id
),

-- What is left of each commissionable line, without tax: `after_code` is what the customer paid for it, `before_code` what it is without the order's code.
-- (Divided, then cast: DuckDB divides in floating point, which 8 decimals of an order's size survive; PostgreSQL divides exactly.)
lines AS (
    SELECT
        k.*,
        CASE WHEN k.share = 0 THEN k.after_code
            ELSE GREATEST(k.after_code, CAST((k.gross - k.own) * k.kept / (k.tax_factor * k.quantity) AS decimal(18, 8))) END AS before_code
    FROM (
        SELECT
            e.*, GREATEST(e.quantity - e.returned, 0) AS kept,
            CAST(e.gross / (e.tax_factor * e.quantity) AS decimal(18, 8)) AS unit_price,
            CASE WHEN e.quantity > e.returned
                THEN CAST(e.gross - e.own - e.share - CASE WHEN e.taxes_included THEN e.tax ELSE 0 END - e.returned_net AS decimal(18, 8))
                ELSE 0 END AS after_code
        FROM every_line AS e
        WHERE e.commissionable AND e.quantity > 0
    ) AS k
),

totals AS MATERIALIZED (
    SELECT
        l.order_id,
        -- A line without its price leaves the order without an amount: it is held back, not sent for too little.
        CASE WHEN COUNT(*) = COUNT(l.before_code) THEN SUM(l.before_code) END AS amount,
        SUM(l.before_code - l.after_code) AS code_discount, MAX(l.goods_came_back) AS goods_came_back,
        '[' || COALESCE(
            STRING_AGG(
                CASE WHEN l.kept > 0 THEN
                    '{"sku": ' || CAST(to_json(l.sku) AS text) || ', "quantity": ' || CAST(l.kept AS text) || ', "unit_price": "' || CAST(l.unit_price AS text)
                    || '", "line_total": "' || CAST(l.before_code AS text) || '"}'
                END, ', ' ORDER BY l.id
            ), ''
        ) || ']' AS items
    FROM lines AS l
    GROUP BY l.order_id
),

refunds AS MATERIALIZED (
    SELECT r.order_id, COUNT(*) AS refunds
    FROM shopify.refund AS r
    WHERE r.order_id IN (SELECT o.id FROM orders AS o)
    GROUP BY r.order_id
),

-- Money given back without a line (Shopify books it with a minus), less what was kept back of a line's. Shipping that was given back is none of CJ's.
given_back AS MATERIALIZED (
    SELECT r.order_id, GREATEST(-SUM(CAST((CAST(a.amount_set AS json) -> o.money) ->> 'amount' AS decimal(18, 4))), 0) AS amount
    FROM shopify.order_adjustment AS a
    INNER JOIN shopify.refund AS r ON r.id = a.refund_id
    INNER JOIN orders AS o ON o.id = r.order_id
    WHERE a.kind = 'refund_discrepancy'
    GROUP BY r.order_id
),

placed AS MATERIALIZED (
    SELECT e.order_id, SUM(e.gross) AS gross FROM every_line AS e GROUP BY e.order_id
),

codes AS MATERIALIZED (
    SELECT c.order_id, c.code, ROW_NUMBER() OVER (PARTITION BY c.order_id ORDER BY c."index", c.code) AS place
    FROM shopify.order_discount_code AS c
    INNER JOIN orders AS o ON o.id = c.order_id
),

clicks AS MATERIALIZED (
    SELECT n.order_id, MAX(n.value) AS cj_event
    FROM shopify.order_note_attribute AS n
    INNER JOIN orders AS o ON o.id = n.order_id AND o.event_attribute = n.name
    GROUP BY n.order_id
)

SELECT
    o.enterprise_id, o.action_tracker_id, o.reported_id AS order_id,
    CASE
        WHEN o.cancelled_at IS NOT NULL OR o.is_test THEN 'cancelled'
        -- Lines that an edit added are not in what it was placed for.
        WHEN f.refunds IS NULL AND p.gross = o.placed_for THEN 'new'
        ELSE 'restated'
    END AS change_type,
    TRUE AS was_new, o.created_at AS event_time, o.updated_at, t.amount,
    LEAST(t.amount, t.code_discount + COALESCE(g.amount, 0)) AS discount,
    o.currency, d.code AS coupon,
    t.items,
    CASE
        WHEN o.cancelled_at IS NOT NULL OR o.is_test THEN CASE o.cancel_reason
            WHEN 'inventory' THEN 'CannotShipSoldOut' WHEN 'declined' THEN 'InvalidCreditCard' ELSE 'Other'
        END
        WHEN t.goods_came_back = 1 THEN 'ReturnedMerchandise'
        WHEN f.refunds IS NOT NULL THEN 'Other'
    END AS correction_reason,
    k.cj_event
FROM orders AS o
-- Orders that never held anything but gift cards and tips are left out: CJ's tag has nothing to report of them.
INNER JOIN totals AS t ON t.order_id = o.id
INNER JOIN placed AS p ON p.order_id = o.id
LEFT JOIN refunds AS f ON f.order_id = o.id
LEFT JOIN given_back AS g ON g.order_id = o.id
LEFT JOIN codes AS d ON d.order_id = o.id AND d.place = 1
LEFT JOIN clicks AS k ON k.order_id = o.id
