{% from "fragments.sql" import first_rule, word_of, paid_on, wanted_paid_on, cost_of_wrong_state %}
-- The verdicts: every order state submitted live that is not settled for good, beside what CJ holds now. The facts are
-- include/sql/verdict_facts.sql; the rules, in the order they are asked, include/restatements/rules/verdicts.py. Bound to :now (CJ's time).
WITH facts AS (
{{ facts }}
),

told AS (
    SELECT f.*, {{ first_rule(differences) | indent(4) }} AS difference_rule, {{ first_rule(missing) | indent(4) }} AS missing_rule
    FROM facts AS f
),

differing AS (
    SELECT t.*, t.difference_rule IS NOT NULL AS differs, COALESCE(t.difference_rule = 'correction_reason', FALSE) AS only_reason_differs
    FROM told AS t
),

ruled AS (
    SELECT d.*, {{ first_rule(statuses) | indent(4) }} AS status_rule
    FROM differing AS d
),

judged AS (
    SELECT r.*, {{ word_of("r.status_rule", statuses) }} AS status_now,
        CASE WHEN NOT r.known THEN 0 ELSE {{ paid_on("r.held_sale_amount", "r.held_discount", "r.sale_amount_basis") }} END AS held_paid_on,
        {{ wanted_paid_on("r", "r.is_cancel", "r.rate_of_others") }} AS paid_on
    FROM ruled AS r
)

SELECT
    j.run_id, j.advertiser_id, j.enterprise_id, j.action_tracker_id, j.order_id, j.updated_at, j.operation,
    j.status_now AS status,
    CASE j.status_now
        WHEN 'mismatched' THEN {{ word_of("j.difference_rule", differences) }}
        WHEN 'missing' THEN {{ word_of("j.missing_rule", missing) }}
    END AS reason,
    CASE WHEN j.is_cancel THEN 0 ELSE j.amount END AS submitted_amount,
    -- In the terms of what was sent. Null where CJ converted the currency: its figure is in another one.
    CASE
        WHEN NOT j.known OR (j.converted AND NOT j.is_cancel) THEN NULL
        WHEN j.sale_amount_basis = 'gross' THEN j.held_sale_amount
        ELSE j.held_sale_amount + j.held_discount
    END AS posted_amount,
    CASE
        WHEN NOT j.known OR (j.converted AND NOT j.is_cancel) THEN NULL
        WHEN j.sale_amount_basis = 'gross' THEN j.held_sale_amount - j.sale_amount
        ELSE j.held_sale_amount + j.held_discount - CASE WHEN j.is_cancel THEN 0 ELSE j.amount END
    END AS difference,
    j.currency, j.submitted_at, j.plan_number,
    CASE WHEN j.new_line THEN j.posted_at END AS posted_at,
    j.locking_date,
    CAST(FLOOR(EXTRACT(EPOCH FROM (j.locking_date - CAST(:now AS timestamp with time zone))) / 86400) AS bigint) AS days_to_lock,
    -- What is paid too much, or owed and not booked, in the advertiser's currency, while CJ holds another state than the one sent.
    CASE WHEN j.status_now IN ('matched', 'superseded') THEN 0 ELSE {{ cost_of_wrong_state("j", "j.is_cancel") }} END AS commission_at_risk,
    j.attempts, j.converted AND NOT j.is_cancel AND NOT j.amount_unchecked AS within_band, CAST(:now AS timestamp with time zone) AS checked_at, CAST(:reading AS bigint) AS reading,
    CASE WHEN j.new_line THEN j.rate END AS rate, NOT j.amount_unchecked AS amount_checked
FROM judged AS j
