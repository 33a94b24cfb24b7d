{% from "fragments.sql" import first_rule, word_of %}
-- The verdicts on the facts of a partner's orders or months, with where the money stands: the first rule of each that holds (include/partners/rules.py).
INSERT INTO cj.partner_verdicts (
    publisher_id, partner, grain, unit, advertiser_id, action_tracker_id, order_id, transaction_id, month, happened_at, joined_by, verdict, rule, partner_rows,
    cj_records, currency, partner_sale_amount, cj_sale_amount, before_sale_amount, partner_payout, cj_payout, before_payout, difference, correction_reason,
    corrected_at, money_state, locking_date, locking_month, payable_on, credit_from, credit_until, run_id, checked_at
)
WITH facts AS (
{{ facts }}
),

dated AS (
    SELECT f.*, k.label AS locking_month, k.payable_on, k.credit_from, k.credit_until, COALESCE(k.payable_on <= :now, FALSE) AS payment_day_come,
        COALESCE(k.credit_from <= :now, FALSE) AS credit_days_begun
    FROM facts AS f
    LEFT JOIN cj.partner_calendar AS k ON k.begins = DATE_TRUNC('month', f.locking_date)
),

ruled AS (
    SELECT d.*, {{ first_rule(verdicts) }} AS verdict_rule, {{ first_rule(money) }} AS money_rule
    FROM dated AS d
)

SELECT
    CAST(:publisher_id AS text), CAST(:partner AS text), r.grain, r.unit, r.advertiser_id, r.action_tracker_id, r.order_id, r.transaction_id, r.month,
    r.happened_at, r.joined_by, {{ word_of("r.verdict_rule", verdicts) }}, r.verdict_rule, r.partner_rows, r.cj_records, CAST(:currency AS text),
    r.partner_sale_amount, r.cj_sale_amount, r.before_sale_amount, r.partner_payout, r.cj_payout, r.before_payout,
    CASE WHEN r.other_currency THEN NULL WHEN r.at_cj AND r.cj_payout IS NULL THEN NULL ELSE COALESCE(r.partner_payout, 0) - COALESCE(r.cj_payout, 0) END,
    r.correction_reason, r.corrected_at, {{ word_of("r.money_rule", money) }}, r.locking_date, r.locking_month,
    r.payable_on, r.credit_from, r.credit_until, CAST(:run_id AS text), CAST(:now AS timestamp with time zone)
FROM ruled AS r
