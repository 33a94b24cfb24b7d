-- The plan: for every order of cj.plan_input (bound to :run_id) the one thing to do, by comparing what the warehouse says it should be
-- with what CJ holds (its records) and with what is on its way (our newest live submission).
--   verb    create, restate, cancel: send it | skip: nothing to send | hold: somebody should look
--   reason  of a skip or a hold, in the words of cj.skipped and cj.quarantine
-- Bound to :process_by, the instant by which CJ will have processed what is sent now (its hour from now): an order that locks before then is
-- locked. Also :open_ended_status (null: held back), :allow_coupon_loss, :allow_discount_loss, :allow_items_loss, :max_attempts,
-- :currency_band. The fold order_state is include/sql/order_state.sql over the records of these orders.
WITH input AS (
    SELECT i.*, CASE WHEN i.sale_amount_basis = 'gross' THEN i.amount ELSE i.amount - COALESCE(i.discount, 0) END AS sale_amount,
        COALESCE(i.currency, i.functional_currency) <> i.functional_currency AS converted
    FROM cj.plan_input AS i
    WHERE i.run_id = :run_id
),

advertisers AS (SELECT DISTINCT advertiser_id, order_id FROM input),

records AS (
    SELECT c.* FROM cj.commissions AS c
    INNER JOIN advertisers AS a ON a.advertiser_id = c.advertiser_id AND a.order_id = c.order_id
),

held AS ({order_state}),

elsewhere AS (
    SELECT DISTINCT i.advertiser_id, i.action_tracker_id, i.order_id
    FROM input AS i
    INNER JOIN held AS h
        ON h.advertiser_id = i.advertiser_id AND h.order_id = i.order_id AND h.action_tracker_id <> i.action_tracker_id
),

-- Our live submissions of these orders, each with its verdict; the newest decides, and how often this very state was sent.
sent AS (
    SELECT s.*, i.place AS place, r.status AS verdict, r.reason AS verdict_reason,
        ROW_NUMBER() OVER (PARTITION BY i.place ORDER BY s.submitted_at DESC, s.attempt DESC) AS newest,
        SUM(CASE WHEN s.payload_hash = i.payload_hash AND s.updated_at = i.updated_at THEN 1 ELSE 0 END)
            OVER (PARTITION BY i.place) AS attempts_of_state,
        -- Restatements to nothing, and cancellations but for those that are known to have failed. One without an answer, settled since, is not
        -- known to have arrived where a restatement to nothing has: the two look alike.
        SUM(CASE WHEN s.operation = 'cancel' AND COALESCE(r.status, 'awaiting') <> 'missing'
            AND s.outcome IN ('accepted', 'unknown') AND s.settled_at IS NULL THEN 1 ELSE 0 END)
            OVER (PARTITION BY i.place) AS cancellations,
        SUM(CASE WHEN s.operation = 'restate' AND s.amount = COALESCE(s.discount, 0) AND COALESCE(s.items_mark, 0) = 0 AND s.outcome = 'accepted'
            THEN 1 ELSE 0 END) OVER (PARTITION BY i.place) AS emptied
    FROM input AS i
    INNER JOIN cj.submissions AS s
        ON s.enterprise_id = i.enterprise_id AND s.action_tracker_id = i.action_tracker_id AND s.order_id = i.order_id
    LEFT JOIN cj.reconciliation AS r
        ON r.enterprise_id = s.enterprise_id AND r.action_tracker_id = s.action_tracker_id AND r.order_id = s.order_id
        -- A verdict counts for the attempt it was given on, not for one sent since.
        AND r.updated_at = s.updated_at AND r.submitted_at >= s.submitted_at
    WHERE s.mode = 'live'
),

last_sent AS (
    SELECT s.place, s.operation, s.outcome, s.payload_hash, s.updated_at, s.submitted_at, s.settled_at, s.attempts_of_state, s.verdict, s.verdict_reason,
        s.cancellations = 0 AND s.emptied > 0 AS to_nothing
    FROM sent AS s
    WHERE s.newest = 1
),

compared AS (
    SELECT
        i.*,
        h.records, h.lock_stage, h.locking_date, h.locking_method, h.commission, h.cj_fee,
        -- What settles an open-ended order is the restatement that accepts it: neither the pixel nor a create does.
        COALESCE(h.locking_method = 'OPEN_ENDED' AND h.validation_status = 'PENDING' AND i.status = 'Accepted', FALSE)
            AND i.change_type <> 'cancelled' AS to_accept,
        h.sale_amount AS held_sale_amount, h.order_discount AS held_discount, h.order_discount_orig_currency AS held_discount_orig,
        h.items_mark AS held_items_mark, h.coupon AS held_coupon,
        COALESCE(h.records, 0) > 0 AS known,
        i.change_type = 'cancelled' AS cancelled,
        COALESCE(h.records, 0) > 1 AND h.sale_amount = 0 AND h.order_discount = 0 AND h.items_mark = 0 AS held_nothing,
        -- A cancellation and a restatement to nothing look alike at CJ; only the latter can be restated again, and we know that we sent it.
        COALESCE(h.records, 0) > 1 AND h.sale_amount = 0 AND h.order_discount = 0 AND h.items_mark = 0 AND NOT COALESCE(l.to_nothing, FALSE) AS held_cancelled,
        e.order_id IS NOT NULL AS held_elsewhere,
        l.operation AS last_operation, l.outcome AS last_outcome, l.payload_hash AS last_hash, l.updated_at AS last_updated_at,
        l.submitted_at AS last_sent_at, l.settled_at AS last_settled_at, l.verdict, l.verdict_reason, COALESCE(l.attempts_of_state, 0) AS attempts,
        -- Sent, answered or not, and not known to have failed: CJ may be about to hold it.
        COALESCE(l.outcome IN ('accepted', 'unknown') AND l.settled_at IS NULL AND COALESCE(l.verdict, 'awaiting') IN ('awaiting', 'late'), FALSE)
            AS on_its_way,
        CASE WHEN i.sale_amount > 0 AND h.sale_amount > 0
            THEN CAST(h.sale_amount AS double precision) / CAST(i.sale_amount AS double precision) END AS rate
    FROM input AS i
    LEFT JOIN held AS h
        ON h.advertiser_id = i.advertiser_id AND h.action_tracker_id = i.action_tracker_id AND h.order_id = i.order_id
    LEFT JOIN elsewhere AS e
        ON e.advertiser_id = i.advertiser_id AND e.action_tracker_id = i.action_tracker_id AND e.order_id = i.order_id
    LEFT JOIN last_sent AS l ON l.place = i.place
),

-- What CJ made of each foreign currency: the middle of what this run's untouched orders show.
rates AS (
    -- Of a few cents, rounding to the cent tells nothing about the rate: the larger orders say it.
    SELECT advertiser_id, currency, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY rate) AS middle_rate
    FROM (
        SELECT advertiser_id, currency, rate, sale_amount, MAX(sale_amount) OVER (PARTITION BY advertiser_id, currency) AS largest
        FROM compared
        WHERE converted AND rate IS NOT NULL AND change_type = 'new'
    ) AS shown_rates
    WHERE 2 * sale_amount >= LEAST(20, largest)
    GROUP BY advertiser_id, currency
),

judged AS (
    SELECT
        c.*,
        CASE
            WHEN NOT c.known THEN FALSE
            WHEN c.cancelled THEN c.held_nothing
            WHEN c.to_accept THEN FALSE
            WHEN c.held_items_mark <> COALESCE(c.items_mark, 0) OR COALESCE(c.held_coupon, '') <> COALESCE(c.coupon, '') THEN FALSE
            WHEN NOT c.converted THEN c.held_sale_amount = c.sale_amount AND c.held_discount = COALESCE(c.discount, 0)
            -- CJ converted it at a rate it does not publish: only an order nothing happened to can be called the same.
            ELSE c.change_type = 'new' AND c.held_discount_orig = COALESCE(c.discount, 0) AND COALESCE(
                ABS(c.rate / NULLIF(r.middle_rate, 0) - 1) <= :currency_band
                    -- CJ rounds to the cent: this amount, its discount, and those the rate was read from.
                    OR ABS(CAST(c.held_sale_amount AS double precision) - CAST(c.sale_amount AS double precision) * r.middle_rate) < 0.035,
                c.sale_amount = c.held_sale_amount
            )
        END AS shown
    FROM compared AS c
    LEFT JOIN rates AS r ON r.advertiser_id = c.advertiser_id AND r.currency = c.currency
),

decided AS (
    SELECT
        j.*,
        CASE
            -- On its way: nothing may overtake an unsettled call or a create that has not posted.
            WHEN j.last_outcome = 'unknown' AND j.last_settled_at IS NULL AND COALESCE(j.verdict, 'awaiting') IN ('awaiting', 'late') THEN 'skip:waiting'
            WHEN j.on_its_way AND j.last_hash = j.payload_hash THEN 'skip:unchanged'
            WHEN j.on_its_way AND j.last_operation = 'cancel' AND j.cancelled THEN 'skip:unchanged'
            WHEN j.last_outcome IN ('accepted', 'unknown') AND j.updated_at < j.last_updated_at AND j.last_hash <> j.payload_hash THEN 'hold:stale_state'
            WHEN j.on_its_way AND j.last_operation = 'create' AND NOT j.known THEN 'skip:waiting'
            -- CJ does not know it.
            WHEN NOT j.known AND j.held_elsewhere THEN 'hold:wrong_action_tracker'
            WHEN NOT j.known AND NOT j.attributed THEN 'skip:not_in_cj'
            -- Its record may be older than what was ever read: a create could be a duplicate.
            WHEN NOT j.known AND j.before_ledger THEN 'hold:not_in_cj'
            WHEN NOT j.known AND j.was_new AND j.cancelled THEN 'skip:never_sent'
            WHEN NOT j.known AND j.attempts >= :max_attempts THEN 'hold:unknown'
            WHEN NOT j.known AND j.was_new THEN 'create'
            WHEN NOT j.known THEN 'hold:not_in_cj'
            -- CJ knows it, and already holds or has accepted this state.
            WHEN j.last_outcome = 'accepted' AND j.last_hash = j.payload_hash AND j.verdict = 'matched' AND NOT (j.to_accept AND j.last_operation = 'create')
                THEN 'skip:unchanged'
            WHEN j.shown AND NOT j.on_its_way AND (j.last_outcome IS NULL OR j.last_outcome <> 'accepted' OR j.last_hash = j.payload_hash
                OR j.verdict = 'missing' OR j.cancelled) THEN 'skip:unchanged'
            -- It could not arrive.
            WHEN j.lock_stage = 3 THEN 'hold:closed'
            WHEN j.lock_stage = 2 OR j.locking_date <= :process_by THEN 'hold:locked'
            WHEN j.held_cancelled THEN 'hold:not_commissionable'
            -- A cancellation is for good once it posts; until then it may still be dropped.
            WHEN j.on_its_way AND j.last_operation = 'cancel' THEN 'skip:waiting'
            -- Of a sale below 1.00 the commission may be less than half a cent: nothing paid says nothing there.
            WHEN j.held_sale_amount - CASE WHEN j.sale_amount_basis = 'gross' THEN j.held_discount ELSE 0 END >= 1 AND j.commission = 0 AND j.cj_fee = 0
                THEN 'hold:not_commissionable'
            WHEN j.attempts >= :max_attempts THEN 'hold:' || COALESCE(j.verdict_reason, 'unknown')
            WHEN j.locking_method = 'OPEN_ENDED' AND NOT j.cancelled AND j.status IS NULL AND CAST(:open_ended_status AS text) IS NULL
                THEN 'hold:status_required'
            WHEN j.locking_method IS NULL AND j.cancelled AND j.status IS NOT NULL THEN 'hold:status_not_allowed'
            -- A field CJ holds and the warehouse has lost: a restatement would remove it.
            WHEN NOT j.cancelled AND j.discount IS NULL AND j.held_discount <> 0 AND NOT :allow_discount_loss THEN 'hold:discount'
            WHEN NOT j.cancelled AND NOT j.has_items AND j.held_items_mark <> 0 AND NOT :allow_items_loss THEN 'hold:items'
            WHEN NOT j.cancelled AND COALESCE(j.coupon, '') = '' AND COALESCE(j.held_coupon, '') <> '' AND NOT :allow_coupon_loss THEN 'hold:coupon'
            WHEN j.cancelled THEN 'cancel'
            ELSE 'restate'
        END AS decision
    FROM judged AS j
)

SELECT
    place, enterprise_id, action_tracker_id, order_id, updated_at, amount, currency,
    CASE WHEN decision LIKE 'skip:%' THEN 'skip' WHEN decision LIKE 'hold:%' THEN 'hold' ELSE decision END AS verb,
    CASE WHEN decision LIKE 'skip:%' OR decision LIKE 'hold:%' THEN SUBSTRING(decision, 6) END AS reason,
    -- The status CJ wants with it: certain where locking is open-ended, left out where it is not. A create has no field for it; it is kept to say
    -- what is still to be told.
    CASE
        WHEN decision = 'create' THEN status
        WHEN locking_method = 'OPEN_ENDED' AND decision = 'cancel' THEN 'Declined'
        WHEN locking_method = 'OPEN_ENDED' THEN COALESCE(status, CAST(:open_ended_status AS text))
        WHEN locking_method IS NULL THEN status
    END AS status,
    CAST(attempts + 1 AS integer) AS attempt,
    last_sent_at,
    -- What paying for the wrong state would cost, in the advertiser's currency.
    CASE
        WHEN NOT known OR held_sale_amount IS NULL OR held_sale_amount = 0 THEN CAST(0 AS decimal(38, 10))
        WHEN cancelled THEN CAST(commission + cj_fee AS decimal(38, 10))
        WHEN converted THEN CAST(0 AS decimal(38, 10))
        -- An estimate, rounded to the cent: the commission on what would be paid too much.
        ELSE CAST(ROUND(CAST(
            CAST(ABS(held_sale_amount - sale_amount) AS double precision)
            * CAST(commission + cj_fee AS double precision) / CAST(held_sale_amount AS double precision)
        AS decimal(38, 10)), 2) AS decimal(38, 10))
    END AS at_stake
FROM decided
ORDER BY place
