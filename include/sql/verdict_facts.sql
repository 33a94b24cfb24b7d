{% from "fragments.sql" import what_cj_holds, sale_amount, is_converted, rate, tells_the_rate, near_the_rate, holds_nothing, pays_nothing %}
-- The facts of the verdicts: one row for every order state submitted live that is to be judged (cj.open_orders says of which orders), beside what CJ
-- holds now, with what is true of it as yes or no, and the amounts. Nothing is decided here: include/restatements/rules/verdicts.py does that.
-- Bound to :now (CJ's time), :processing_seconds, :deadline_seconds, :currency_band. cj.accounts_now gives the basis and functional currency of this
-- run's accounts.
WITH sent AS (
    SELECT s.*, o.overtaken,
        ROW_NUMBER() OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.submitted_at DESC, s.attempt DESC) AS newest,
        ROW_NUMBER() OVER (
            PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at ORDER BY s.submitted_at DESC, s.attempt DESC
        ) AS newest_of_state,
        COUNT(*) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at) AS attempts,
        MIN(s.submitted_at) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at) AS first_submitted_at,
        LEAD(s.operation) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.submitted_at DESC, s.attempt DESC) AS before_operation,
        LEAD(s.amount) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.submitted_at DESC, s.attempt DESC) AS before_amount,
        LEAD(s.discount) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.submitted_at DESC, s.attempt DESC) AS before_discount,
        LEAD(s.items_mark) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.submitted_at DESC, s.attempt DESC) AS before_items_mark
    FROM cj.submissions AS s
    INNER JOIN cj.open_orders AS o
        USING (enterprise_id, action_tracker_id, order_id)
    WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
),

wanted AS (
    SELECT s.*, a.sale_amount_basis,
        {{ is_converted("s.currency", "a.functional_currency") }} AS converted,
        CASE WHEN s.operation = 'cancel' THEN 0 ELSE {{ sale_amount("s.amount", "s.discount", "a.sale_amount_basis") }} END AS sale_amount,
        CASE WHEN s.before_operation = 'cancel' THEN 0 ELSE {{ sale_amount("s.before_amount", "s.before_discount", "a.sale_amount_basis") }} END
            AS before_sale_amount
    FROM sent AS s
    INNER JOIN cj.accounts_now AS a USING (advertiser_id)
    WHERE s.newest_of_state = 1
),

{{ what_cj_holds("wanted") }},

-- What a tracker costs, for orders CJ holds nothing of.
tracker_cost AS (
    SELECT advertiser_id, action_tracker_id,
        CAST(SUM(commission + cj_fee) AS double precision)
            / NULLIF(CAST(SUM(CASE WHEN sale_amount > 0 THEN sale_amount ELSE 0 END) AS double precision), 0) AS share
    FROM held
    GROUP BY advertiser_id, action_tracker_id
),

compared AS (
    SELECT w.*,
        h.sale_amount AS held_sale_amount, h.order_discount AS held_discount, h.order_discount_orig_currency AS held_discount_orig,
        h.items_mark AS held_items_mark, h.coupon AS held_coupon, h.correction_reason AS held_correction_reason,
        h.validation_status AS held_validation_status, h.locking_method, h.locking_date, h.lock_stage, h.commission, h.cj_fee,
        h.posted_at, h.first_posted_at, h.records AS held_records, c.share,
        COALESCE(h.records, 0) > 0 AS known,
        COALESCE(h.posted_at >= w.submitted_at, FALSE) AS new_line,
        -- An attempt that was given up may post just before the next one is sent: CJ holds the state all the same.
        COALESCE(h.posted_at >= w.first_submitted_at, FALSE) AS line_since_first,
        e.order_id IS NOT NULL AS elsewhere,
        CASE WHEN w.converted AND w.sale_amount > 0 AND h.sale_amount > 0 THEN {{ rate("h.sale_amount", "w.sale_amount") }} END AS rate
    FROM wanted AS w
    LEFT JOIN held AS h
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN elsewhere AS e
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN tracker_cost AS c USING (advertiser_id, action_tracker_id)
),

-- CJ converts at a rate it does not publish: the middle of what the orders of that currency show is the rate to be near.
rates AS (
    -- What posted since it was sent says the rate: of an order that was dropped, CJ holds another amount.
    SELECT advertiser_id, currency, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY rate) AS middle_rate
    FROM (
        SELECT advertiser_id, currency, rate, sale_amount, new_line,
            MAX(sale_amount) OVER (PARTITION BY advertiser_id, currency) AS largest,
            MAX(CASE WHEN new_line THEN sale_amount END) OVER (PARTITION BY advertiser_id, currency) AS largest_posted
        FROM compared
        WHERE rate IS NOT NULL AND newest = 1
    ) AS shown_rates
    WHERE (new_line OR largest_posted IS NULL) AND {{ tells_the_rate("sale_amount", "COALESCE(largest_posted, largest)") }}
    GROUP BY advertiser_id, currency
)

SELECT
    c.run_id, c.advertiser_id, c.enterprise_id, c.action_tracker_id, c.order_id, c.updated_at, c.operation, c.submitted_at, c.attempts, c.currency,
    c.amount, c.sale_amount, c.sale_amount_basis, c.held_sale_amount, c.held_discount, c.commission, c.cj_fee, c.share, c.posted_at, c.locking_date,
    c.converted, c.newest = 1 AS newest_state, c.known, c.elsewhere, c.new_line, c.line_since_first, c.overtaken = 1 AS overtaken,
    c.operation = 'create' AS is_create, c.operation = 'restate' AS is_restate, c.operation = 'cancel' AS is_cancel,
    COALESCE(c.first_posted_at < c.submitted_at, FALSE) AS posted_before,
    COALESCE(c.lock_stage = 3, FALSE) AS closed,
    COALESCE(c.lock_stage = 2 OR c.locking_date <= :now, FALSE) AS locked,
    COALESCE({{ pays_nothing("c.held_sale_amount", "c.held_discount", "c.sale_amount_basis", "c.commission", "c.cj_fee") }}, FALSE) AS pays_nothing,
    COALESCE({{ holds_nothing("c.held_records", "c.held_sale_amount", "c.held_discount", "c.held_items_mark") }}, FALSE) AS held_nothing,
    COALESCE(c.before_operation = 'restate' AND c.before_sale_amount = 0, FALSE) AS nothing_before,
    COALESCE(c.locking_method = 'OPEN_ENDED', FALSE) AS open_ended,
    COALESCE(c.locking_method <> 'OPEN_ENDED', FALSE) AS locks_by_itself,
    c.status IS NOT NULL AS status_given,
    EXTRACT(EPOCH FROM (CAST(:now AS timestamp with time zone) - c.submitted_at)) >= :processing_seconds AS hour_over,
    EXTRACT(EPOCH FROM (CAST(:now AS timestamp with time zone) - c.submitted_at)) >= :deadline_seconds AS deadline_over,
    COALESCE(
        CASE
            WHEN c.converted AND c.sale_amount > 0
                THEN NOT COALESCE({{ near_the_rate("c.rate", "r.middle_rate", "c.held_sale_amount", "c.sale_amount") }}, FALSE)
            WHEN c.converted OR c.operation = 'cancel' THEN c.held_sale_amount <> 0
            WHEN c.sale_amount_basis = 'gross' THEN c.held_sale_amount <> c.amount
            ELSE c.held_sale_amount + c.held_discount <> c.amount
        END, FALSE
    ) AS amount_differs,
    COALESCE(
        CASE
            WHEN c.operation = 'cancel' THEN c.held_discount <> 0
            WHEN c.converted THEN c.held_discount_orig <> COALESCE(c.discount, 0)
            ELSE c.held_discount <> COALESCE(c.discount, 0)
        END, FALSE
    ) AS discount_differs,
    COALESCE(c.held_items_mark, 0) <> CASE WHEN c.operation = 'cancel' THEN 0 ELSE COALESCE(c.items_mark, 0) END AS items_differ,
    c.operation <> 'cancel' AND COALESCE(c.held_coupon, '') <> COALESCE(c.coupon, '') AS coupon_differs,
    c.operation <> 'create' AND c.correction_reason IS NOT NULL
        AND COALESCE(c.held_correction_reason, '') <> COALESCE({{ posted_reason("c.correction_reason") }}, '') AS correction_reason_differs,
    c.operation <> 'create' AND c.status IS NOT NULL
        AND COALESCE(c.held_validation_status, '') <> COALESCE({{ posted_status("c.status") }}, '') AS validation_status_differs,
    -- Only the state sent before this one has posted so far: not a proof against this one.
    COALESCE(
        NOT c.converted AND c.before_sale_amount IS NOT NULL AND c.held_sale_amount = c.before_sale_amount
            AND c.held_items_mark = CASE WHEN c.before_operation = 'cancel' THEN 0 ELSE COALESCE(c.before_items_mark, 0) END, FALSE
    ) AS shows_state_before
FROM compared AS c
LEFT JOIN rates AS r USING (advertiser_id, currency)
