{% from "fragments.sql" import is_of_an_order %}
{% from "partner_fragments.sql" import publishers_figure, is_locked, figures_differ, is_finer %}
-- The facts of every whole month from :months_since and before :months_until: what the partner's rows come to (cj.partner_rows) against what the orders of
-- :publisher_id do. Whose month a record is of :month_of says: that of the sale (`event`), of the record (`posting`) or of its lock (`locking`). In :currency.
WITH units AS (
    SELECT DATE_TRUNC('month', r.occurred_at) AS begins, COUNT(*) AS partner_rows, SUM(r.sale_amount) AS sale_amount, SUM(r.payout) AS payout,
        MAX(CASE WHEN COALESCE(r.currency, :currency) <> :currency THEN 1 ELSE 0 END) AS other_currency
    FROM cj.partner_rows AS r
    WHERE r.occurred_at >= :months_since AND r.occurred_at < :months_until
    GROUP BY DATE_TRUNC('month', r.occurred_at)
),

mine AS (
    SELECT
        CASE :month_of WHEN 'posting' THEN c.posting_date WHEN 'locking' THEN c.locking_date ELSE COALESCE(c.event_date, c.posting_date) END AS counts_at,
        c.original, c.posting_date, c.locking_date, CASE WHEN {{ is_locked("c") }} THEN 1 ELSE 0 END AS locked,
        {{ publishers_figure("c", "sale_amount") }} AS sale_amount, {{ publishers_figure("c", "pub_commission_amount") }} AS payout
    FROM cj.commissions AS c
    -- Nothing of a month is posted before it, whichever month is meant, but for a lock.
    WHERE c.publisher_id = :publisher_id AND c.posting_date >= :records_since AND {{ is_of_an_order("c") }}
),

held AS (
    SELECT DATE_TRUNC('month', m.counts_at) AS begins, COUNT(*) AS cj_records,
        CASE WHEN COUNT(m.sale_amount) = COUNT(*) THEN SUM(m.sale_amount) END AS sale_amount,
        CASE WHEN COUNT(m.payout) = COUNT(*) THEN SUM(m.payout) END AS payout,
        COALESCE(SUM(CASE WHEN m.original THEN m.sale_amount END), 0) AS first_sale_amount,
        COALESCE(SUM(CASE WHEN m.original THEN m.payout END), 0) AS first_payout,
        MAX(CASE WHEN NOT m.original THEN m.posting_date END) AS corrected_at, MAX(m.locking_date) AS locking_date, MIN(m.locked) AS locked,
        CAST(SUM(CASE WHEN {{ is_finer("m.sale_amount") }} THEN 1 ELSE 0 END) AS bigint) AS finer_sales,
        CAST(SUM(CASE WHEN {{ is_finer("m.payout") }} THEN 1 ELSE 0 END) AS bigint) AS finer_payouts
    FROM mine AS m
    WHERE m.counts_at >= :months_since AND m.counts_at < :months_until
    GROUP BY DATE_TRUNC('month', m.counts_at)
),

sides AS (
    SELECT COALESCE(u.begins, h.begins) AS begins, u.begins IS NOT NULL AS at_partner, h.begins IS NOT NULL AS at_cj, u.partner_rows, u.other_currency,
        u.sale_amount AS partner_sale_amount, u.payout AS partner_payout, h.sale_amount AS cj_sale_amount, h.payout AS cj_payout, h.cj_records,
        h.first_sale_amount, h.first_payout, h.corrected_at, h.locking_date, h.locked, h.finer_sales, h.finer_payouts
    FROM units AS u
    FULL JOIN held AS h ON h.begins = u.begins
),

judged AS (
    SELECT b.*, {{ figures_differ("b.partner_sale_amount", "b.cj_sale_amount", "b.finer_sales") }} AS amount_differs,
        {{ figures_differ("b.partner_payout", "b.cj_payout", "b.finer_payouts") }} AS payout_differs,
        b.at_partner AND b.at_cj AND b.corrected_at IS NOT NULL
            AND NOT {{ figures_differ("b.partner_sale_amount", "b.first_sale_amount", "b.finer_sales") }}
            AND NOT {{ figures_differ("b.partner_payout", "b.first_payout", "b.finer_payouts") }} AS was_so_before,
        CAST(CAST(EXTRACT(YEAR FROM b.begins) AS bigint) AS text) || '-' || LPAD(CAST(CAST(EXTRACT(MONTH FROM b.begins) AS bigint) AS text), 2, '0') AS month
    FROM sides AS b
)

SELECT
    'month' AS grain, 'month:' || j.month AS unit, CAST(NULL AS text) AS advertiser_id, CAST(NULL AS bigint) AS action_tracker_id,
    CAST(NULL AS text) AS order_id, CAST(NULL AS text) AS transaction_id, j.month, j.begins AS happened_at, 'month' AS joined_by,
    COALESCE(j.partner_rows, 0) AS partner_rows, COALESCE(j.cj_records, 0) AS cj_records,
    j.partner_sale_amount, j.cj_sale_amount, CASE WHEN j.was_so_before THEN j.first_sale_amount END AS before_sale_amount,
    j.partner_payout, j.cj_payout, CASE WHEN j.was_so_before THEN j.first_payout END AS before_payout,
    CAST(NULL AS text) AS correction_reason, j.corrected_at, j.locking_date,
    j.at_partner, j.at_cj, FALSE AS ambiguous, TRUE AS identified, FALSE AS another_publisher, FALSE AS may_follow,
    (NOT j.at_partner AND COALESCE(j.cj_payout = 0 AND j.cj_sale_amount = 0, FALSE))
        OR (NOT j.at_cj AND COALESCE(j.partner_payout, 0) = 0 AND COALESCE(j.partner_sale_amount, 0) = 0) AS comes_to_nothing,
    COALESCE(j.other_currency, 0) = 1 AS other_currency,
    (j.at_cj AND j.partner_sale_amount IS NOT NULL AND j.cj_sale_amount IS NULL)
        OR (j.at_cj AND j.partner_payout IS NOT NULL AND j.cj_payout IS NULL) AS cj_not_known,
    j.amount_differs, j.payout_differs, j.was_so_before,
    COALESCE(j.cj_payout <> 0, j.cj_records > 0, FALSE) AS owed, COALESCE(j.locked = 1, FALSE) AS is_locked
FROM judged AS j
