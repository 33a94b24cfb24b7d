{% from "fragments.sql" import what_cj_holds, sale_amount, is_converted, rate, tells_the_rate, holds_nothing, pays_nothing, same_order %}
{% from "fragments.sql" import rates_shown, rate_of_others, near_a_rate, is_half_shown, paid_on, wanted_paid_on, cost_of_wrong_state, trackers, share_of_tracker, pays_something, sales_moved %}
-- The facts of the plan: one row for every order of cj.plan_input (bound to :run_id), with what is true of it as yes or no, and the amounts. Nothing
-- is decided here: include/restatements/rules/plan.py does that, and says what each fact means.
-- Bound to :process_by, the instant by which CJ will have processed what is sent now (its hour from now): an order that locks before then is
-- locked. :interval_start and :interval_end are the run's, :fewest_orders and :ids_must_meet say what is too few to tell and what share is hardly any.
-- :pairs_since is the instant before which both halves of what CJ posts as a pair can be seen. Also :open_ended_status (null: none is set),
-- :allow_coupon_loss, :allow_discount_loss, :allow_items_loss, :max_attempts, :currency_band.
WITH {{ trackers() }},

input AS (
    SELECT i.*,
        {{ sale_amount("i.amount", "i.discount", "i.sale_amount_basis") }} AS sale_amount,
        {{ is_converted("i.currency", "i.functional_currency") }} AS converted
    FROM cj.plan_input AS i
    WHERE i.run_id = :run_id
),

{{ what_cj_holds("input") }},

-- Our live submissions of these orders, each with its verdict; the newest decides, and how often this very state was sent.
sent AS (
    SELECT s.*, i.position, r.status AS verdict, r.reason AS verdict_reason, r.reading AS judged_reading,
        ROW_NUMBER() OVER (PARTITION BY i.position ORDER BY s.plan_number DESC) AS newest,
        -- Restatements to nothing, and cancellations except those that are known to have failed. One without an answer, settled since, is not
        -- known to have arrived where a restatement to nothing has: the two look alike.
        SUM(CASE WHEN s.operation = 'cancel' AND COALESCE(r.status, 'awaiting') <> 'missing'
            AND s.outcome IN ('accepted', 'unknown') AND s.settled_at IS NULL THEN 1 ELSE 0 END)
            OVER (PARTITION BY i.position) AS cancellations,
        SUM(CASE WHEN s.operation = 'restate' AND s.amount = COALESCE(s.discount, 0) AND COALESCE(s.items_mark, 0) = 0 AND s.outcome = 'accepted'
            THEN 1 ELSE 0 END) OVER (PARTITION BY i.position) AS emptied
    FROM input AS i
    INNER JOIN cj.submissions AS s
        USING (enterprise_id, action_tracker_id, order_id)
    LEFT JOIN cj.reconciliation AS r
        ON {{ same_order("r", "s") }}
        -- A verdict counts for the attempt it was given on, not for one sent since.
        AND r.updated_at = s.updated_at AND r.plan_number >= s.plan_number
    WHERE s.mode = 'live'
),

-- How often this very content was sent since another one was: by content, not by the time the warehouse gives it.
attempted AS (
    SELECT s.position, COUNT(*) AS attempts_of_state
    FROM sent AS s
    INNER JOIN input AS i USING (position)
    LEFT JOIN (
        SELECT s.position, MAX(s.plan_number) AS plan_number FROM sent AS s INNER JOIN input AS i USING (position)
        WHERE s.payload_hash <> i.payload_hash GROUP BY s.position
    ) AS another USING (position)
    WHERE s.payload_hash = i.payload_hash AND (another.plan_number IS NULL OR s.plan_number > another.plan_number)
    GROUP BY s.position
),

last_sent AS (
    SELECT s.position, s.operation, s.outcome, s.payload_hash, s.updated_at, s.settled_at, s.verdict, s.verdict_reason, s.judged_reading,
        s.cancellations = 0 AND s.emptied > 0 AS to_nothing
    FROM sent AS s
    WHERE s.newest = 1
),

compared AS (
    SELECT
        i.*,
        h.publisher_id, h.publisher_name, h.records, h.reversals, h.lock_stage, h.locking_date, h.locking_method, h.commission, h.cj_fee, h.validation_status,
        COALESCE({{ is_half_shown("h") }}, FALSE) AS half_shown, d.order_id IS NOT NULL AS in_doubt,
        COALESCE(h.newest_reading >= t.items_since, FALSE) AS items_told, {{ share_of_tracker("i.sale_amount_basis") }} AS share,
        t.action_tracker_id IS NULL AND o.owned_tracker IS NOT NULL AS tracker_of_another,
        h.sale_amount AS held_sale_amount, h.order_discount AS held_discount, h.order_discount_orig_currency AS held_discount_orig,
        h.items_mark AS held_items_mark, h.coupon AS held_coupon,
        COALESCE(h.records, 0) > 0 OR d.order_id IS NOT NULL AS known,
        i.change_type = 'cancelled' AS cancelled, i.change_type = 'new' AS untouched,
        e.order_id IS NOT NULL AS elsewhere,
        l.operation AS last_operation, l.outcome AS last_outcome, l.payload_hash AS last_hash, l.updated_at AS last_updated_at,
        l.settled_at AS last_settled_at, l.verdict, l.verdict_reason, h.newest_reading > COALESCE(l.judged_reading, 0) AS changed_since_verdict,
        COALESCE(a.attempts_of_state, 0) AS attempts, COALESCE(l.to_nothing, FALSE) AS to_nothing,
        CASE WHEN i.sale_amount > 0 AND h.sale_amount > 0 THEN {{ rate("h.sale_amount", "i.sale_amount") }} END AS rate
    FROM input AS i
    LEFT JOIN held AS h
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN elsewhere AS e
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN doubtful AS d
        USING (advertiser_id, action_tracker_id, order_id)
    LEFT JOIN last_sent AS l USING (position)
    LEFT JOIN attempted AS a USING (position)
    LEFT JOIN trackers AS t USING (advertiser_id, action_tracker_id)
    LEFT JOIN owned_trackers AS o ON o.owned_tracker = i.action_tracker_id
),

-- What CJ made of each foreign currency: this run's untouched orders show it.
telling AS (
    SELECT position, advertiser_id, currency, rate
    FROM (
        SELECT position, advertiser_id, currency, rate, sale_amount, MAX(sale_amount) OVER (PARTITION BY advertiser_id, currency) AS largest
        FROM compared
        WHERE converted AND rate IS NOT NULL AND untouched AND NOT half_shown AND NOT in_doubt
    ) AS shown
    WHERE {{ tells_the_rate("sale_amount", "largest") }}
),

accounts AS (SELECT DISTINCT advertiser_id, functional_currency FROM input),

{{ rates_shown("telling", "accounts") }},

rated AS (
    SELECT c.*, {{ rate_of_others("own.rate") }} AS rate_of_others, b.rate_before
    FROM compared AS c
    LEFT JOIN telling AS own USING (position)
    LEFT JOIN rates AS r ON r.advertiser_id = c.advertiser_id AND r.currency = c.currency
    LEFT JOIN rates_before AS b ON b.advertiser_id = c.advertiser_id AND b.currency = c.currency
),

-- How the warehouse's orders and CJ's meet by their ids, by advertiser: of the night's affiliate orders, those that CJ knows and those that would be
-- created; and of the orders CJ has from the same days, those that are not among the night's. Both must fail to meet, since each alone has other reasons.
ids AS (
    SELECT w.advertiser_id, t.least_id, t.greatest_id,
        w.unmet >= :fewest_orders AND w.met < :ids_must_meet * (w.met + w.unmet)
        AND t.unmet >= :fewest_orders AND t.orders - t.unmet < :ids_must_meet * t.orders AS hardly_meet
    FROM (
        SELECT c.advertiser_id,
            CAST(SUM(CASE WHEN c.known OR c.elsewhere THEN 1 ELSE 0 END) AS double precision) AS met,
            CAST(SUM(CASE WHEN c.known OR c.elsewhere OR NOT c.was_new OR c.cancelled OR c.before_ledger OR c.last_operation IS NOT NULL
                THEN 0 ELSE 1 END) AS double precision) AS unmet
        FROM compared AS c
        WHERE c.attributed
        GROUP BY c.advertiser_id
    ) AS w
    INNER JOIN (
        SELECT p.advertiser_id, CAST(COUNT(*) AS double precision) AS orders,
            CAST(COUNT(*) - COUNT(n.order_id) AS double precision) AS unmet,
            MIN(CASE WHEN n.order_id IS NULL THEN p.order_id END) AS least_id, MAX(CASE WHEN n.order_id IS NULL THEN p.order_id END) AS greatest_id
        FROM (
            SELECT DISTINCT c.advertiser_id, c.order_id
            FROM cj.commissions AS c
            WHERE c.event_date >= :interval_start AND c.event_date < :interval_end AND c.order_id IS NOT NULL
        ) AS p
        LEFT JOIN named AS n
            ON n.advertiser_id = p.advertiser_id AND n.order_id = p.order_id
        GROUP BY p.advertiser_id
    ) AS t
        ON t.advertiser_id = w.advertiser_id
),

facts AS (
    SELECT
        c.*,
        COALESCE(m.hardly_meet, FALSE) AS ids_hardly_meet,
        CASE WHEN m.hardly_meet THEN m.least_id || ', ' || m.greatest_id END AS cj_ids,
        COALESCE(c.last_outcome = 'unknown' AND c.last_settled_at IS NULL AND COALESCE(c.verdict, 'awaiting') IN ('awaiting', 'late'), FALSE)
            AS call_unsettled,
        COALESCE(
            c.last_outcome IN ('accepted', 'unknown') AND c.last_settled_at IS NULL AND COALESCE(c.verdict, 'awaiting') IN ('awaiting', 'late'), FALSE
        ) AS on_its_way,
        COALESCE(c.last_hash = c.payload_hash, FALSE) AS same_as_last,
        COALESCE(c.last_operation = 'create', FALSE) AS last_is_create,
        COALESCE(c.last_operation = 'cancel', FALSE) AS last_is_cancel,
        COALESCE(c.last_outcome IN ('accepted', 'unknown'), FALSE) AS last_may_count,
        COALESCE(c.last_outcome = 'accepted', FALSE) AS last_accepted,
        COALESCE(c.verdict = 'matched', FALSE) AND NOT COALESCE(c.changed_since_verdict, FALSE) AS last_matched,
        COALESCE(c.verdict = 'mismatched' AND c.verdict_reason = 'correction_reason', FALSE) AND NOT COALESCE(c.changed_since_verdict, FALSE) AS last_reason_lost,
        COALESCE(c.verdict = 'missing', FALSE) AS last_missing,
        COALESCE(c.updated_at < c.last_updated_at, FALSE) AS older_than_last,
        c.attempts >= :max_attempts AS attempts_used,
        COALESCE(c.locking_method = 'OPEN_ENDED', FALSE) AS open_ended,
        c.locking_method IS NULL AS locking_unsaid,
        c.status IS NOT NULL AS status_given,
        CAST(:open_ended_status AS text) IS NOT NULL AS status_set,
        -- What settles an open-ended order is the restatement that accepts it: neither the pixel nor a create does.
        COALESCE(c.locking_method = 'OPEN_ENDED' AND c.validation_status = 'PENDING' AND c.status = 'Accepted' AND {{ pays_something("c") }}, FALSE) AND NOT c.cancelled AS to_accept,
        COALESCE(c.lock_stage = 3, FALSE) AS closed,
        COALESCE(c.lock_stage = 2 OR c.locking_date <= :process_by, FALSE) AS locked,
        COALESCE({{ holds_nothing("c.reversals", "c.held_sale_amount", "c.held_discount", "c.held_items_mark") }}, FALSE) AND NOT c.half_shown AS held_nothing,
        COALESCE({{ pays_nothing("c.held_sale_amount", "c.held_discount", "c.sale_amount_basis", "c.commission", "c.cj_fee") }}, FALSE) AS pays_nothing,
        -- A field CJ holds and the warehouse has lost: a restatement would remove it.
        COALESCE(NOT c.cancelled AND c.discount IS NULL AND c.held_discount <> 0, FALSE) AND NOT :allow_discount_loss AS discount_would_go,
        COALESCE(NOT c.cancelled AND NOT c.has_items AND c.held_items_mark <> 0, FALSE) AND NOT :allow_items_loss AS items_would_go,
        NOT c.cancelled AND COALESCE(c.coupon, '') = '' AND COALESCE(c.held_coupon, '') <> '' AND NOT :allow_coupon_loss AS coupon_would_go,
        COALESCE(c.items_told AND c.held_items_mark <> COALESCE(c.items_mark, 0) OR COALESCE(c.held_coupon, '') <> COALESCE(c.coupon, ''), FALSE) AS basket_differs,
        -- CJ converted it at a rate it does not publish: only an order nothing happened to can be called the same.
        COALESCE(
            CASE
                WHEN NOT c.converted THEN c.held_sale_amount = c.sale_amount AND c.held_discount = COALESCE(c.discount, 0)
                ELSE c.untouched AND c.held_discount_orig = COALESCE(c.discount, 0) AND CASE
                    WHEN c.sale_amount = 0 OR c.held_sale_amount = 0 THEN c.sale_amount = c.held_sale_amount
                    ELSE {{ near_a_rate("c", "c.rate", "c.held_sale_amount", "c.sale_amount") }}
                END
            END, FALSE
        ) AS amounts_agree,
        -- What paying for the wrong state would cost, in the advertiser's currency. Not known is null, and never nothing.
        {{ cost_of_wrong_state("c", "c.cancelled") }} AS at_stake,
        {{ sales_moved("c", "c.cancelled") }} AS sales_moved, CAST(c.held_paid_on AS decimal(38, 10)) AS held_sales
    FROM (
        SELECT r.*,
            CASE WHEN r.records IS NULL AND NOT r.in_doubt THEN 0 ELSE {{ paid_on("r.held_sale_amount", "r.held_discount", "r.sale_amount_basis") }} END
                AS held_paid_on,
            {{ wanted_paid_on("r", "r.cancelled", "COALESCE(r.rate_of_others, r.rate_before)") }} AS paid_on
        FROM rated AS r
    ) AS c
    LEFT JOIN ids AS m ON m.advertiser_id = c.advertiser_id
)

SELECT
    f.position, f.enterprise_id, f.action_tracker_id, f.order_id, f.updated_at, f.status, f.attempts, f.verdict_reason, f.at_stake, f.sales_moved, f.held_sales, f.publisher_id, f.publisher_name,
    f.call_unsettled, f.on_its_way, f.same_as_last, f.last_is_create, f.last_is_cancel, f.last_may_count, f.last_accepted, f.last_matched, f.last_reason_lost, f.last_missing,
    f.older_than_last, f.attempts_used, f.known, f.elsewhere, f.tracker_of_another, f.attributed, f.before_ledger, f.was_new, f.untouched, f.cancelled, f.to_accept, f.closed, f.locked,
    f.held_nothing AND NOT f.in_doubt AND NOT f.to_nothing AS held_cancelled, f.pays_nothing, f.open_ended, f.locking_unsaid, f.status_given, f.status_set,
    f.discount_would_go, f.items_would_go, f.coupon_would_go, f.ids_hardly_meet, f.cj_ids,
    CASE
        WHEN f.in_doubt THEN FALSE
        WHEN f.cancelled THEN f.held_nothing
        WHEN f.to_accept THEN FALSE
        ELSE NOT f.basket_differs AND f.amounts_agree
    END AS held_so
FROM facts AS f
