-- The verdicts: every order state submitted live that is not settled for good, beside what CJ holds now.
-- Bound to :now (CJ's time), :processing_seconds, :deadline_seconds, :currency_band. cj.accounts_now gives the
-- basis and functional currency of this run's accounts, cj.open_orders the orders to look at. The fold order_state and the two spellings are
-- filled in by the package.
INSERT INTO cj.verdicts (
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at
)
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
        ON o.enterprise_id = s.enterprise_id AND o.action_tracker_id = s.action_tracker_id AND o.order_id = s.order_id
    WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
),

wanted AS (
    SELECT s.*, a.sale_amount_basis,
        COALESCE(s.currency, a.functional_currency) <> a.functional_currency AS converted,
        CASE
            WHEN s.operation = 'cancel' THEN 0
            WHEN a.sale_amount_basis = 'gross' THEN s.amount
            ELSE s.amount - COALESCE(s.discount, 0)
        END AS sale_amount,
        CASE
            WHEN s.before_operation = 'cancel' THEN 0
            WHEN a.sale_amount_basis = 'gross' THEN s.before_amount
            ELSE s.before_amount - COALESCE(s.before_discount, 0)
        END AS before_sale_amount
    FROM sent AS s
    INNER JOIN cj.accounts_now AS a ON a.advertiser_id = s.advertiser_id
    WHERE s.newest_of_state = 1
),

orders AS (SELECT DISTINCT advertiser_id, order_id FROM wanted),

records AS (
    SELECT c.* FROM cj.commissions AS c
    INNER JOIN orders AS o ON o.advertiser_id = c.advertiser_id AND o.order_id = c.order_id
),

held AS ({order_state}),

elsewhere AS (
    SELECT DISTINCT w.advertiser_id, w.action_tracker_id, w.order_id
    FROM wanted AS w
    INNER JOIN held AS h
        ON h.advertiser_id = w.advertiser_id AND h.order_id = w.order_id AND h.action_tracker_id <> w.action_tracker_id
),

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
        e.order_id IS NOT NULL AS held_elsewhere,
        CASE WHEN w.converted AND w.sale_amount > 0 AND h.sale_amount > 0
            THEN CAST(h.sale_amount AS double precision) / CAST(w.sale_amount AS double precision) END AS rate
    FROM wanted AS w
    LEFT JOIN held AS h
        ON h.advertiser_id = w.advertiser_id AND h.action_tracker_id = w.action_tracker_id AND h.order_id = w.order_id
    LEFT JOIN elsewhere AS e
        ON e.advertiser_id = w.advertiser_id AND e.action_tracker_id = w.action_tracker_id AND e.order_id = w.order_id
    LEFT JOIN tracker_cost AS c ON c.advertiser_id = w.advertiser_id AND c.action_tracker_id = w.action_tracker_id
),

-- CJ converts at a rate it does not publish: the middle of what the orders of that currency show is the rate to be near.
rates AS (
    -- What posted since it was sent says the rate: of an order that was dropped, CJ holds another amount. And of a few cents, rounding to the
    -- cent tells nothing about it: the larger orders do.
    SELECT advertiser_id, currency, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY rate) AS middle_rate
    FROM (
        SELECT advertiser_id, currency, rate, sale_amount, new_line,
            MAX(sale_amount) OVER (PARTITION BY advertiser_id, currency) AS largest,
            MAX(CASE WHEN new_line THEN sale_amount END) OVER (PARTITION BY advertiser_id, currency) AS largest_posted
        FROM compared
        WHERE rate IS NOT NULL AND newest = 1
    ) AS shown_rates
    WHERE (new_line OR largest_posted IS NULL) AND 2 * sale_amount >= LEAST(20, COALESCE(largest_posted, largest))
    GROUP BY advertiser_id, currency
),

differing AS (
    SELECT c.*,
        CASE
            WHEN c.converted AND c.sale_amount > 0
                THEN NOT COALESCE(
                    ABS(c.rate / NULLIF(r.middle_rate, 0) - 1) <= :currency_band
                    -- CJ rounds to the cent: this amount, its discount, and those the rate was read from.
                    OR ABS(CAST(c.held_sale_amount AS double precision) - CAST(c.sale_amount AS double precision) * r.middle_rate) < 0.035,
                    FALSE
                )
            WHEN c.converted OR c.operation = 'cancel' THEN c.held_sale_amount <> 0
            WHEN c.sale_amount_basis = 'gross' THEN c.held_sale_amount <> c.amount
            ELSE c.held_sale_amount + c.held_discount <> c.amount
        END AS amount_differs,
        CASE
            WHEN c.operation = 'cancel' THEN c.held_discount <> 0
            WHEN c.converted THEN c.held_discount_orig <> COALESCE(c.discount, 0)
            ELSE c.held_discount <> COALESCE(c.discount, 0)
        END AS discount_differs,
        COALESCE(c.held_items_mark, 0) <> CASE WHEN c.operation = 'cancel' THEN 0 ELSE COALESCE(c.items_mark, 0) END AS items_differ,
        c.operation <> 'cancel' AND COALESCE(c.held_coupon, '') <> COALESCE(c.coupon, '') AS coupon_differs,
        c.operation <> 'create' AND c.correction_reason IS NOT NULL
            AND COALESCE(c.held_correction_reason, '') <> COALESCE({posted_reason}, '') AS correction_reason_differs,
        c.operation <> 'create' AND c.status IS NOT NULL
            AND COALESCE(c.held_validation_status, '') <> COALESCE({posted_status}, '') AS validation_status_differs,
        -- Only the state sent before this one has posted so far: not a proof against this one.
        NOT c.converted AND c.before_sale_amount IS NOT NULL AND c.held_sale_amount = c.before_sale_amount
            AND c.held_items_mark = CASE WHEN c.before_operation = 'cancel' THEN 0 ELSE COALESCE(c.before_items_mark, 0) END AS shows_state_before
    FROM compared AS c
    LEFT JOIN rates AS r ON r.advertiser_id = c.advertiser_id AND r.currency = c.currency
),

reasoned AS (
    SELECT d.*,
        CASE
            WHEN NOT d.known THEN NULL
            WHEN d.amount_differs THEN 'amount'
            WHEN d.discount_differs THEN 'discount'
            WHEN d.items_differ THEN 'items'
            WHEN d.coupon_differs THEN 'coupon'
            WHEN d.correction_reason_differs THEN 'correction_reason'
            WHEN d.validation_status_differs THEN 'validation_status'
        END AS difference_reason,
        CASE
            WHEN d.held_elsewhere AND NOT d.known THEN 'wrong_action_tracker'
            WHEN d.operation = 'create' AND d.known AND d.first_posted_at < d.submitted_at THEN 'duplicate'
            WHEN d.operation = 'create' THEN 'unknown'
            WHEN NOT d.known THEN 'not_in_cj'
            WHEN d.lock_stage = 3 THEN 'closed'
            WHEN d.lock_stage = 2 OR d.locking_date <= :now THEN 'locked'
            -- Of a sale below 1.00 the commission may be less than half a cent: nothing paid says nothing there.
            WHEN d.held_sale_amount - CASE WHEN d.sale_amount_basis = 'gross' THEN d.held_discount ELSE 0 END >= 1 AND d.commission = 0 AND d.cj_fee = 0
                THEN 'not_commissionable'
            -- Nothing is held any more: cancelled, unless nothing is what it was restated to before.
            WHEN d.operation = 'restate' AND d.held_records > 1 AND d.held_sale_amount = 0 AND d.held_discount = 0 AND d.held_items_mark = 0
                AND NOT COALESCE(d.before_operation = 'restate' AND d.before_sale_amount = 0, FALSE) THEN 'not_commissionable'
            WHEN d.locking_method = 'OPEN_ENDED' AND d.status IS NULL THEN 'status_required'
            WHEN d.operation = 'cancel' AND d.locking_method <> 'OPEN_ENDED' AND d.status IS NOT NULL THEN 'status_not_allowed'
            ELSE 'unknown'
        END AS missing_reason,
        EXTRACT(EPOCH FROM (CAST(:now AS timestamp with time zone) - d.submitted_at)) AS waited_seconds
    FROM differing AS d
),

judged AS (
    SELECT r.*,
        CASE
            WHEN r.newest > 1 THEN 'superseded'
            WHEN r.line_since_first AND r.difference_reason IS NULL THEN 'matched'
            -- CJ dropped the create as a duplicate of an order it already held just so: it holds what we sent.
            WHEN r.operation = 'create' AND r.known AND r.difference_reason IS NULL THEN 'matched'
            WHEN r.waited_seconds < :processing_seconds THEN 'awaiting'
            WHEN r.new_line AND (r.overtaken = 1 OR NOT r.shows_state_before) AND NOT (r.operation = 'create' AND r.first_posted_at < r.submitted_at) THEN 'mismatched'
            WHEN r.waited_seconds < :deadline_seconds THEN 'late'
            -- Something posted, and CJ holds what was sent but for the reason it was given: nothing that is paid is missing.
            WHEN r.new_line AND r.difference_reason = 'correction_reason' THEN 'mismatched'
            ELSE 'missing'
        END AS status_now
    FROM reasoned AS r
)

SELECT
    j.run_id, j.advertiser_id, j.enterprise_id, j.action_tracker_id, j.order_id, j.updated_at, j.operation,
    j.status_now,
    CASE j.status_now WHEN 'mismatched' THEN j.difference_reason WHEN 'missing' THEN j.missing_reason END,
    CASE WHEN j.operation = 'cancel' THEN 0 ELSE j.amount END,
    -- In the terms of what was sent. Null where CJ converted the currency: its figure is in another one.
    CASE
        WHEN NOT j.known OR (j.converted AND j.operation <> 'cancel') THEN NULL
        WHEN j.sale_amount_basis = 'gross' THEN j.held_sale_amount
        ELSE j.held_sale_amount + j.held_discount
    END,
    CASE
        WHEN NOT j.known OR (j.converted AND j.operation <> 'cancel') THEN NULL
        WHEN j.sale_amount_basis = 'gross' THEN j.held_sale_amount - j.sale_amount
        ELSE j.held_sale_amount + j.held_discount - CASE WHEN j.operation = 'cancel' THEN 0 ELSE j.amount END
    END,
    j.currency, j.submitted_at,
    CASE WHEN j.new_line THEN j.posted_at END,
    j.locking_date,
    CAST(FLOOR(EXTRACT(EPOCH FROM (j.locking_date - CAST(:now AS timestamp with time zone))) / 86400) AS bigint),
    -- What is paid too much, or owed and not booked, in the advertiser's currency, while CJ holds another state than the one sent.
    CASE
        WHEN j.status_now IN ('matched', 'superseded') THEN 0
        WHEN NOT j.known THEN CASE WHEN j.converted THEN NULL ELSE CAST(ROUND(CAST(CAST(j.sale_amount AS double precision) * j.share AS decimal(38, 10)), 2) AS decimal(38, 10)) END
        WHEN j.held_sale_amount = 0 THEN CASE WHEN j.converted THEN NULL ELSE CAST(ROUND(CAST(CAST(j.sale_amount AS double precision) * j.share AS decimal(38, 10)), 2) AS decimal(38, 10)) END
        WHEN j.operation = 'cancel' THEN CAST(j.commission + j.cj_fee AS decimal(38, 10))
        WHEN j.converted THEN NULL
        ELSE CAST(ROUND(CAST(
            CAST(ABS(j.held_sale_amount - j.sale_amount) AS double precision)
            * CAST(j.commission + j.cj_fee AS double precision) / CAST(j.held_sale_amount AS double precision)
        AS decimal(38, 10)), 2) AS decimal(38, 10))
    END,
    j.attempts, j.converted AND j.operation <> 'cancel', CAST(:now AS timestamp with time zone)
FROM judged AS j
