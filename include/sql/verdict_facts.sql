{% from "fragments.sql" import what_cj_holds, sale_amount, is_converted, rate, tells_the_rate, holds_nothing, pays_nothing, same_order %}
{% from "fragments.sql" import rates_shown, rate_of_others, rate_before, near_a_rate, is_half_shown, trackers, share_of_tracker, pays_something %}
{%- set of_its_state = "PARTITION BY n.enterprise_id, n.action_tracker_id, n.order_id, n.payload_hash, n.others_since" %}
{%- macro of_attempt(attempt) -%}
{% for column in ("run_id", "operation", "advertiser_id", "enterprise_id", "action_tracker_id", "order_id", "updated_at", "amount", "discount", "currency", "coupon", "status",
    "correction_reason", "items_mark", "outcome", "submitted_at", "plan_number", "known_reading", "untouched") %}{{ attempt }}.{{ column }}{{ ", " if not loop.last }}{% endfor %}
{%- endmacro %}
{%- macro of_account(account) -%}
{{ account }}.sale_amount_basis, {{ account }}.functional_currency, {{ account }}.read_whole_until
{%- endmacro %}
{#- Of the state sent before this one: its newest attempt is as many attempts back as this state has had. -#}
{%- macro before(column) -%}
LEAD(s.{{ column }}, CAST(s.attempts AS integer)) OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.plan_number DESC)
{%- endmacro %}
-- The facts of the verdicts: one row for every order state submitted live that is to be judged (cj.open_orders says of which orders), beside what CJ
-- holds now, with what is true of it as yes or no, and the amounts. Nothing is decided here: include/restatements/rules/verdicts.py does that.
-- Bound to :now (CJ's time), :pairs_since, before which both halves of what CJ posts as a pair can be seen, :processing_seconds, :deadline_seconds, :currency_band. cj.accounts_now gives the basis and functional currency of this
-- run's accounts.
WITH {{ trackers() }},

numbered AS (
    SELECT s.*,
        -- A state is what is sent, whatever time the warehouse gives it: attempts of one content that follow each other are attempts of one state.
        ROW_NUMBER() OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.plan_number DESC)
            - ROW_NUMBER() OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id, s.payload_hash ORDER BY s.plan_number DESC) AS others_since
    FROM cj.open_orders AS o
    INNER JOIN cj.submissions AS s USING (enterprise_id, action_tracker_id, order_id)
    WHERE o.attempts > 1 AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
),

-- Of each attempt, what is true of all attempts of its state. Windows and no join of the attempts with themselves, which PostgreSQL expects one row of: it
-- would then go through all of them for each of them.
attempted AS (
    SELECT n.*,
        MIN(n.submitted_at) OVER ({{ of_its_state }}) AS first_submitted_at,
        MIN(n.known_reading) OVER ({{ of_its_state }}) AS first_known_reading,
{% for column in ("operation", "amount", "discount", "currency", "items_mark") %}
        MAX(n.{{ column }}) OVER ({{ of_its_state }}) AS state_{{ column }},
{% endfor %}
        ROW_NUMBER() OVER ({{ of_its_state }} ORDER BY n.plan_number) AS attempts
    FROM numbered AS n
),

told_apart AS (
    SELECT {{ of_attempt("s") }}, {{ of_account("a") }}, s.first_submitted_at, s.first_known_reading, s.attempts,
        {{ before("state_operation") }} AS before_operation,
        {{ before("state_amount") }} AS before_amount,
        {{ before("state_discount") }} AS before_discount,
        {{ before("state_currency") }} AS before_currency,
        {{ before("state_items_mark") }} AS before_items_mark,
        {{ before("first_submitted_at") }} AS before_submitted_at,
        {{ before("first_known_reading") }} AS before_known_reading,
        ROW_NUMBER() OVER (PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id ORDER BY s.plan_number DESC) AS newest,
        ROW_NUMBER() OVER (
            PARTITION BY s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at ORDER BY s.plan_number DESC
        ) AS newest_of_state
    FROM attempted AS s
    INNER JOIN cj.accounts_now AS a USING (advertiser_id)
),

-- Of an order that was sent once there is nothing to tell from anything: no window, which is what costs.
sent AS (
    SELECT * FROM told_apart WHERE newest_of_state = 1
    UNION ALL
    SELECT {{ of_attempt("s") }}, {{ of_account("a") }}, s.submitted_at, s.known_reading, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 1
    FROM cj.open_orders AS o
    INNER JOIN cj.submissions AS s USING (enterprise_id, action_tracker_id, order_id)
    INNER JOIN cj.accounts_now AS a USING (advertiser_id)
    WHERE o.attempts = 1 AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
),

wanted AS (
    SELECT s.*, LEAST(CAST(:now AS timestamp with time zone), s.read_whole_until) AS looked_until,
        CASE WHEN s.operation <> 'cancel' THEN COALESCE(s.items_mark, 0) ELSE 0 END AS items_sent,
        CASE WHEN s.before_operation <> 'cancel' THEN COALESCE(s.before_items_mark, 0) ELSE 0 END AS items_sent_before, t.items_since,
        {{ share_of_tracker("s.sale_amount_basis") }} AS share,
        t.action_tracker_id IS NOT NULL AS tracker_known, t.action_tracker_id IS NULL AND o.owned_tracker IS NOT NULL AS tracker_of_another,
        {{ is_converted("s.currency", "s.functional_currency") }} AS converted,
        CASE WHEN s.operation = 'cancel' THEN 0 ELSE {{ sale_amount("s.amount", "s.discount", "s.sale_amount_basis") }} END AS sale_amount,
        CASE WHEN s.before_operation = 'cancel' THEN 0 ELSE {{ sale_amount("s.before_amount", "s.before_discount", "s.sale_amount_basis") }} END
            AS before_sale_amount
    FROM sent AS s
    LEFT JOIN trackers AS t USING (advertiser_id, action_tracker_id)
    LEFT JOIN owned_trackers AS o ON o.owned_tracker = s.action_tracker_id
),

{{ what_cj_holds("wanted") }},

-- What is news to a submission: a record that was read after its plan was made, and was posted no earlier than the intent to call was declared, with
-- a tolerance for the clocks that say so.
news AS (
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at,
        -- Taken back and posted again: nothing has become of it.
        COALESCE(SUM(r.sale_amount) = 0 AND SUM(r.items_mark) = 0, FALSE) AS adds_nothing,
        MAX(CASE WHEN COALESCE(r.reading, 0) > w.known_reading AND r.posting_date >= w.submitted_at - INTERVAL '5' MINUTE THEN 1 ELSE 0 END) AS new_line
    FROM wanted AS w
    INNER JOIN records AS r USING (advertiser_id, action_tracker_id, order_id)
    WHERE COALESCE(r.reading, 0) > w.first_known_reading AND r.posting_date >= w.first_submitted_at - INTERVAL '5' MINUTE
    GROUP BY w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at
),

-- How many states posted since the one before was sent: of two, a single one may be either.
states_posted AS (
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at, COUNT(*) AS since_before
    FROM wanted AS w
    INNER JOIN records AS r USING (advertiser_id, action_tracker_id, order_id)
    WHERE w.converted AND r.sale_amount >= 0 AND COALESCE(r.reading, 0) > w.before_known_reading
      AND r.posting_date >= w.before_submitted_at - INTERVAL '5' MINUTE
    GROUP BY w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at
),

compared AS (
    SELECT w.*,
        -- Where CJ was not seen to report items, it is not known which it holds: they are not asked for.
        CASE WHEN h.newest_reading >= w.items_since THEN w.items_sent ELSE 0 END AS wanted_items,
        CASE WHEN h.newest_reading >= w.items_since THEN w.items_sent_before ELSE 0 END AS wanted_items_before,
        h.sale_amount AS held_sale_amount, h.order_discount AS held_discount, h.order_discount_orig_currency AS held_discount_orig,
        h.items_mark AS held_items_mark, h.coupon AS held_coupon, h.correction_reason AS held_correction_reason,
        h.validation_status AS held_validation_status, h.locking_method, h.locking_date, h.lock_stage, h.commission, h.cj_fee,
        h.posted_at, h.first_posted_at, h.reversals AS held_reversals,
        COALESCE({{ is_half_shown("h") }}, FALSE) AS half_shown, d.order_id IS NOT NULL AS in_doubt,
        COALESCE(h.records, 0) > 0 AS known,
        n.new_line IS NOT NULL AND n.new_line = 1 AS new_line,
        -- An attempt that was given up may post just before the next one is sent: CJ holds the state all the same.
        n.new_line IS NOT NULL AS line_since_first, COALESCE(n.adds_nothing, FALSE) AS adds_nothing,
        e.order_id IS NOT NULL AS elsewhere,
        -- One record posted of this state and the one sent before it: it is of either.
        COALESCE(
            w.converted AND w.operation <> 'cancel' AND w.before_operation <> 'cancel' AND COALESCE(m.since_before, 0) < 2
                AND w.sale_amount > 0 AND w.before_sale_amount > 0 AND w.before_sale_amount <> w.sale_amount, FALSE
        ) AS of_either_state,
        CASE WHEN w.converted AND w.sale_amount > 0 AND h.sale_amount > 0 THEN {{ rate("h.sale_amount", "w.sale_amount") }} END AS rate
    FROM wanted AS w
    LEFT JOIN held AS h
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN elsewhere AS e
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN doubtful AS d
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN news AS n
        ON {{ same_order("n", "w") }} AND n.updated_at = w.updated_at
    LEFT JOIN states_posted AS m
        ON {{ same_order("m", "w") }} AND m.updated_at = w.updated_at
),

-- CJ converts at a rate it does not publish: what the orders of that currency show is the rate to be near.
telling AS (
    -- What posted since it was sent says the rate: of an order that was dropped, CJ holds another amount.
    SELECT enterprise_id, action_tracker_id, order_id, plan_number, advertiser_id, currency, rate
    FROM (
        SELECT c.*,
            MAX(sale_amount) OVER (PARTITION BY advertiser_id, currency) AS largest,
            MAX(CASE WHEN new_line THEN sale_amount END) OVER (PARTITION BY advertiser_id, currency) AS largest_posted
        FROM compared AS c
        WHERE rate IS NOT NULL AND newest = 1 AND NOT half_shown AND NOT in_doubt AND NOT of_either_state
    ) AS shown
    WHERE (new_line OR largest_posted IS NULL) AND {{ tells_the_rate("sale_amount", "COALESCE(largest_posted, largest)") }}
),

{{ rates_shown("telling", "cj.accounts_now") }},

rated AS (
    SELECT c.*, {{ rate_of_others("own.rate") }} AS rate_of_others, {{ rate_before("c.order_id", "c.plan_number") }} AS rate_before
    FROM compared AS c
    LEFT JOIN telling AS own
        ON {{ same_order("own", "c") }} AND own.plan_number = c.plan_number
    LEFT JOIN rates AS r ON r.advertiser_id = c.advertiser_id AND r.currency = c.currency
    LEFT JOIN rates_before AS b ON b.advertiser_id = c.advertiser_id AND b.currency = c.currency
),

-- The states of which a record was posted just as they were sent, since they were sent first: they posted, whatever CJ holds by now.
posted AS (
    SELECT c.enterprise_id, c.action_tracker_id, c.order_id, c.updated_at,
        MAX(CASE WHEN COALESCE(n.reading, 0) > c.known_reading AND n.posting_date >= c.submitted_at - INTERVAL '5' MINUTE THEN 1 ELSE 0 END) AS since_last
    FROM rated AS c
    INNER JOIN records AS n USING (advertiser_id, action_tracker_id, order_id)
    -- One record cannot be told to be of this state where the state sent before looks the same.
    WHERE NOT COALESCE(
            c.before_sale_amount = c.sale_amount AND c.wanted_items_before = c.wanted_items, FALSE
        )
      AND c.line_since_first AND COALESCE(n.reading, 0) > c.first_known_reading AND n.posting_date >= c.first_submitted_at - INTERVAL '5' MINUTE
      AND n.items_mark = c.wanted_items
      AND CASE
          WHEN c.operation = 'cancel' THEN n.sale_amount = 0 AND COALESCE(n.order_discount, 0) = 0
          WHEN NOT c.converted THEN n.sale_amount = c.sale_amount AND COALESCE(n.order_discount, 0) = COALESCE(c.discount, 0)
          WHEN c.sale_amount > 0 THEN COALESCE(n.order_discount_orig_currency, 0) = COALESCE(c.discount, 0)
              AND {{ near_a_rate("c", rate("n.sale_amount", "c.sale_amount"), "n.sale_amount", "c.sale_amount") }}
          ELSE FALSE
      END
    GROUP BY c.enterprise_id, c.action_tracker_id, c.order_id, c.updated_at
)

SELECT
    c.run_id, c.advertiser_id, c.enterprise_id, c.action_tracker_id, c.order_id, c.updated_at, c.operation, c.submitted_at, c.plan_number, c.attempts, c.currency,
    c.amount, c.discount, c.sale_amount, c.sale_amount_basis, c.held_sale_amount, c.held_discount, c.commission, c.cj_fee, c.share, c.posted_at, c.locking_date,
    c.converted, c.rate, COALESCE(c.rate_of_others, c.rate_before) AS rate_of_others, c.newest = 1 AS newest_state, c.known, c.elsewhere, c.tracker_known, c.tracker_of_another,
    c.half_shown, c.in_doubt, c.new_line, c.line_since_first,
    p.order_id IS NOT NULL AS posted_once, COALESCE(p.since_last = 1, FALSE) AS posted_since_last,
    c.operation = 'create' AS is_create, c.operation = 'restate' AS is_restate, c.operation = 'cancel' AS is_cancel,
    COALESCE(c.first_posted_at < c.submitted_at, FALSE) AS posted_before,
    COALESCE(c.lock_stage = 3, FALSE) AS closed,
    COALESCE(c.lock_stage = 2 OR c.locking_date <= :now, FALSE) AS locked,
    COALESCE({{ pays_nothing("c.held_sale_amount", "c.held_discount", "c.sale_amount_basis", "c.commission", "c.cj_fee") }}, FALSE) AS pays_nothing,
    COALESCE({{ holds_nothing("c.held_reversals", "c.held_sale_amount", "c.held_discount", "c.held_items_mark") }}, FALSE) AS held_nothing,
    COALESCE(c.before_operation = 'restate' AND c.before_sale_amount = 0, FALSE) AS nothing_before,
    COALESCE(c.locking_method = 'OPEN_ENDED', FALSE) AS open_ended,
    COALESCE(c.locking_method <> 'OPEN_ENDED', FALSE) AS locks_by_itself,
    c.status IS NOT NULL AS status_given,
    COALESCE(c.untouched, FALSE) AND c.before_operation IS NULL AS untouched,
    -- What is given up was looked for past no cursor: CJ's ids need not become visible in their order.
    EXTRACT(EPOCH FROM (CASE WHEN c.outcome = 'unknown' THEN c.looked_until ELSE CAST(:now AS timestamp with time zone) END - c.submitted_at)) >= :processing_seconds AS hour_over,
    EXTRACT(EPOCH FROM (c.looked_until - c.submitted_at)) >= :deadline_seconds AS deadline_over,
    -- CJ converted it, and nothing but the order itself says at what rate.
    c.converted AND c.operation <> 'cancel' AND c.sale_amount > 0 AND COALESCE(c.held_sale_amount > 0, FALSE) AND COALESCE(c.rate_of_others, c.rate_before) IS NULL
        AS amount_unchecked,
    COALESCE(
        CASE
            WHEN c.converted AND c.sale_amount > 0 AND c.held_sale_amount > 0 AND COALESCE(c.rate_of_others, c.rate_before) IS NULL THEN FALSE
            WHEN c.converted AND c.sale_amount > 0
                THEN NOT {{ near_a_rate("c", "c.rate", "c.held_sale_amount", "c.sale_amount") }}
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
    COALESCE(c.held_items_mark, 0) <> c.wanted_items AS items_differ,
    c.operation <> 'cancel' AND COALESCE(c.held_coupon, '') <> COALESCE(c.coupon, '') AS coupon_differs,
    c.operation <> 'create' AND c.correction_reason IS NOT NULL
        AND COALESCE(c.held_correction_reason, '') <> COALESCE({{ posted_reason("c.correction_reason") }}, '') AS correction_reason_differs,
    c.operation <> 'create' AND c.status IS NOT NULL AND (c.operation = 'cancel' OR {{ pays_something("c") }})
        AND COALESCE(c.held_validation_status, '') <> COALESCE({{ posted_status("c.status") }}, '') AS validation_status_differs,
    -- Only the state sent before this one has posted so far, or what was held was posted again: not a proof against this one.
    c.adds_nothing OR COALESCE(
        c.before_sale_amount IS NOT NULL AND c.held_items_mark = c.wanted_items_before AND CASE
            WHEN NOT c.converted OR c.before_operation = 'cancel' THEN c.held_sale_amount = c.before_sale_amount
            WHEN c.before_currency = c.currency AND c.before_sale_amount > 0 AND c.held_sale_amount > 0
                THEN {{ near_a_rate("c", rate("c.held_sale_amount", "c.before_sale_amount"), "c.held_sale_amount", "c.before_sale_amount") }}
            WHEN c.before_currency = c.currency THEN c.held_sale_amount = c.before_sale_amount
        END, FALSE
    ) AS shows_state_before,
    -- Without a rate one amount looks like the other, so the record that posted is of either.
    c.of_either_state AND COALESCE(c.rate_of_others, c.rate_before) IS NULL AS may_be_state_before
FROM rated AS c
LEFT JOIN posted AS p
    ON {{ same_order("p", "c") }} AND p.updated_at = c.updated_at
