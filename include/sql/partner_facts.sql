{% from "fragments.sql" import is_of_an_order, is_missing %}
{% from "partner_fragments.sql" import publishers_figure, is_locked, figures_differ, is_finer %}
{%- set order_key = "advertiser_id, action_tracker_id, order_id" %}
-- The facts of every pair of a partner's unit (its rows of one order, in cj.partner_rows) and an order of :publisher_id at CJ, and of each that has no other.
-- Orders with a record posted since :since, and those the partner names. Figures are in :currency.
WITH units AS (
    SELECT u.unit, MIN(u.order_id) AS order_id, MIN(u.commission_id) AS commission_id, MIN(u.transaction_id) AS transaction_id, COUNT(*) AS partner_rows,
        SUM(u.sale_amount) AS sale_amount, SUM(u.payout) AS payout,
        MIN(CASE WHEN u.turn = 1 THEN u.sale_amount END) AS first_sale_amount, MIN(u.occurred_at) AS first_at,
        MAX(CASE WHEN COALESCE(u.currency, :currency) <> :currency THEN 1 ELSE 0 END) AS other_currency
    FROM (
        SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.unit ORDER BY r.occurred_at, r.load_number, r.position) AS turn
        FROM cj.partner_rows AS r
        WHERE r.month IS NULL
    ) AS u
    GROUP BY u.unit
),

wanted AS (
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id
    FROM cj.commissions AS c
    WHERE c.publisher_id = :publisher_id AND c.posting_date >= :since AND c.order_id <> ''
    UNION
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id
    FROM cj.commissions AS c
    INNER JOIN units AS u ON u.order_id = c.order_id
    UNION
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id
    FROM cj.commissions AS c
    INNER JOIN units AS u ON u.commission_id = c.commission_id
    WHERE c.order_id <> ''
),

records AS (
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id, c.commission_id, c.publisher_id, c.original, c.posting_date, c.correction_reason,
        COALESCE(c.event_date, c.posting_date) AS happened_at, c.locking_date, CASE WHEN {{ is_locked("c") }} THEN 1 ELSE 0 END AS locked,
        {{ publishers_figure("c", "sale_amount") }} AS sale_amount, {{ publishers_figure("c", "pub_commission_amount") }} AS payout
    FROM cj.commissions AS c
    INNER JOIN wanted AS w USING ({{ order_key }})
    WHERE {{ is_of_an_order("c") }}
),

mine AS (
    SELECT r.*, ROW_NUMBER() OVER (PARTITION BY {{ order_key }} ORDER BY r.posting_date DESC, LENGTH(r.commission_id) DESC, r.commission_id DESC) AS age
    FROM records AS r
    WHERE r.publisher_id = :publisher_id
),

-- What CJ held after each moment it posted something but the last; a reversal and the new state that posted with it are one moment.
moments AS (
    SELECT DISTINCT m.advertiser_id, m.action_tracker_id, m.order_id, m.posting_date
    FROM mine AS m
    INNER JOIN mine AS l USING ({{ order_key }})
    WHERE l.age = 1 AND m.posting_date < l.posting_date
),

held_then AS (
    SELECT t.advertiser_id, t.action_tracker_id, t.order_id, t.posting_date, SUM(m.sale_amount) AS sale_then, SUM(m.payout) AS payout_then
    FROM moments AS t
    INNER JOIN mine AS m USING ({{ order_key }})
    WHERE m.posting_date <= t.posting_date
    GROUP BY t.advertiser_id, t.action_tracker_id, t.order_id, t.posting_date
),

held AS (
    SELECT m.advertiser_id, m.action_tracker_id, m.order_id, COUNT(*) AS cj_records,
        CASE WHEN COUNT(m.sale_amount) = COUNT(*) THEN SUM(m.sale_amount) END AS sale_amount,
        CASE WHEN COUNT(m.payout) = COUNT(*) THEN SUM(m.payout) END AS payout,
        SUM(CASE WHEN m.original THEN m.sale_amount END) AS first_sale_amount, MIN(m.happened_at) AS happened_at, MAX(m.locking_date) AS locking_date,
        MIN(m.locked) AS locked, CAST(SUM(CASE WHEN {{ is_finer("m.sale_amount") }} THEN 1 ELSE 0 END) AS bigint) AS finer_sales,
        CAST(SUM(CASE WHEN {{ is_finer("m.payout") }} THEN 1 ELSE 0 END) AS bigint) AS finer_payouts,
        MAX(CASE WHEN NOT m.original THEN m.posting_date END) AS corrected_at,
        MAX(CASE WHEN m.age = 1 THEN m.correction_reason END) AS correction_reason
    FROM mine AS m
    GROUP BY m.advertiser_id, m.action_tracker_id, m.order_id
),

-- The ladder. A unit stands on the first rung that has a candidate for it.
by_order_id AS (
    SELECT u.unit, h.advertiser_id, h.action_tracker_id, h.order_id, 'order_id' AS joined_by
    FROM units AS u
    INNER JOIN held AS h ON h.order_id = u.order_id
),

firm AS (
    SELECT b.* FROM by_order_id AS b
    UNION
    SELECT u.unit, m.advertiser_id, m.action_tracker_id, m.order_id, 'commission_id' AS joined_by
    FROM units AS u
    INNER JOIN mine AS m ON m.commission_id = u.commission_id
    WHERE u.unit NOT IN (SELECT b.unit FROM by_order_id AS b)
),

free_orders AS (
    SELECT h.* FROM held AS h
    LEFT JOIN firm AS f USING ({{ order_key }})
    WHERE f.unit IS NULL AND h.happened_at >= :log_begins
),

candidates AS (
    SELECT f.* FROM firm AS f
    UNION
    SELECT u.unit, h.advertiser_id, h.action_tracker_id, h.order_id, 'suggested' AS joined_by
    FROM units AS u
    INNER JOIN free_orders AS h
        ON h.first_sale_amount = u.first_sale_amount AND DATE_TRUNC('day', h.happened_at) = DATE_TRUNC('day', u.first_at)
    WHERE u.order_id IS NULL AND u.commission_id IS NULL AND u.other_currency = 0
),

counted AS (
    SELECT c.*, COUNT(*) OVER (PARTITION BY c.unit) AS of_unit, COUNT(*) OVER (PARTITION BY {{ order_key }}) AS of_order
    FROM candidates AS c
),

pairs AS (
    SELECT c.unit, c.advertiser_id, c.action_tracker_id, c.order_id, c.joined_by, 0 AS doubt
    FROM counted AS c
    WHERE c.of_unit = 1 AND c.of_order = 1
    UNION ALL
    SELECT u.unit, NULL, NULL, NULL, 'none', CASE WHEN u.unit IN (SELECT c.unit FROM counted AS c) THEN 1 ELSE 0 END
    FROM units AS u
    WHERE u.unit NOT IN (SELECT c.unit FROM counted AS c WHERE c.of_unit = 1 AND c.of_order = 1)
    UNION ALL
    SELECT NULL, h.advertiser_id, h.action_tracker_id, h.order_id, 'none', CASE WHEN MAX(c.unit) IS NULL THEN 0 ELSE 1 END
    FROM held AS h
    LEFT JOIN counted AS c USING ({{ order_key }})
    WHERE h.happened_at >= :log_begins
    GROUP BY h.advertiser_id, h.action_tracker_id, h.order_id
    HAVING COALESCE(MAX(CASE WHEN c.of_unit = 1 AND c.of_order = 1 THEN 1 END), 0) = 0
),

at_others AS (
    SELECT DISTINCT r.order_id, r.publisher_id FROM records AS r WHERE r.publisher_id <> :publisher_id
),

doubtful AS (
    SELECT DISTINCT h.advertiser_id, h.action_tracker_id, h.order_id
    FROM held AS h
    INNER JOIN cj.ledger_set_aside AS a USING (advertiser_id, order_id)
    WHERE COALESCE(a.action_tracker_id, h.action_tracker_id) = h.action_tracker_id AND {{ is_missing("a") }}
),

-- The newest of what CJ held before that is just what the partner has.
before AS (
    SELECT p.unit, t.sale_then, t.payout_then, ROW_NUMBER() OVER (PARTITION BY p.unit ORDER BY t.posting_date DESC) AS turn
    FROM pairs AS p
    INNER JOIN units AS u ON u.unit = p.unit
    INNER JOIN held AS h ON h.advertiser_id = p.advertiser_id AND h.action_tracker_id = p.action_tracker_id AND h.order_id = p.order_id
    INNER JOIN held_then AS t ON t.advertiser_id = p.advertiser_id AND t.action_tracker_id = p.action_tracker_id AND t.order_id = p.order_id
    WHERE (u.sale_amount IS NULL OR NOT {{ figures_differ("u.sale_amount", "t.sale_then", "h.finer_sales") }})
        AND (u.payout IS NULL OR NOT {{ figures_differ("u.payout", "t.payout_then", "h.finer_payouts") }})
)

SELECT
    'order' AS grain,
    COALESCE(p.unit, 'order:' || p.order_id) AS unit,
    p.advertiser_id, p.action_tracker_id, COALESCE(p.order_id, u.order_id) AS order_id, u.transaction_id, CAST(NULL AS text) AS month,
    COALESCE(h.happened_at, u.first_at) AS happened_at, p.joined_by, COALESCE(u.partner_rows, 0) AS partner_rows, COALESCE(h.cj_records, 0) AS cj_records,
    u.sale_amount AS partner_sale_amount, h.sale_amount AS cj_sale_amount, b.sale_then AS before_sale_amount,
    u.payout AS partner_payout, h.payout AS cj_payout, b.payout_then AS before_payout, h.correction_reason, h.corrected_at, h.locking_date,
    -- The facts (include/partners/rules.py).
    p.unit IS NOT NULL AS at_partner,
    p.advertiser_id IS NOT NULL AS at_cj,
    p.doubt = 1 AS ambiguous,
    CASE WHEN p.unit IS NULL THEN :log_has_ids ELSE u.order_id IS NOT NULL OR u.commission_id IS NOT NULL END AS identified,
    p.advertiser_id IS NULL AND o.publisher_id IS NOT NULL AS another_publisher,
    CASE WHEN p.unit IS NULL THEN h.happened_at >= :partner_known_until ELSE u.first_at >= :cj_known_until END AS may_follow,
    CASE
        WHEN p.unit IS NULL THEN COALESCE(h.payout = 0 AND h.sale_amount = 0, FALSE)
        WHEN p.advertiser_id IS NULL THEN COALESCE(u.payout, 0) = 0 AND COALESCE(u.sale_amount, 0) = 0 AND u.partner_rows > 1
        ELSE FALSE
    END AS comes_to_nothing,
    COALESCE(u.other_currency, 0) = 1 AS other_currency,
    d.order_id IS NOT NULL OR (u.sale_amount IS NOT NULL AND h.sale_amount IS NULL) OR (u.payout IS NOT NULL AND h.payout IS NULL) AS cj_not_known,
    {{ figures_differ("u.sale_amount", "h.sale_amount", "h.finer_sales") }} AS amount_differs,
    {{ figures_differ("u.payout", "h.payout", "h.finer_payouts") }} AS payout_differs,
    b.unit IS NOT NULL AS was_so_before,
    COALESCE(h.payout <> 0, h.cj_records > 0, FALSE) AS owed,
    COALESCE(h.locked = 1, FALSE) AS is_locked
FROM pairs AS p
LEFT JOIN units AS u ON u.unit = p.unit
LEFT JOIN held AS h ON h.advertiser_id = p.advertiser_id AND h.action_tracker_id = p.action_tracker_id AND h.order_id = p.order_id
LEFT JOIN before AS b ON b.unit = p.unit AND b.turn = 1
LEFT JOIN (SELECT order_id, MIN(publisher_id) AS publisher_id FROM at_others GROUP BY order_id) AS o ON o.order_id = u.order_id
LEFT JOIN doubtful AS d ON d.advertiser_id = p.advertiser_id AND d.action_tracker_id = p.action_tracker_id AND d.order_id = p.order_id
