{% from "fragments.sql" import first_rule, word_of, whole_cost, cost_of_difference %}
{% macro cost_by_share() -%}
CASE WHEN j.converted THEN NULL ELSE CAST(ROUND(CAST(CAST(j.sale_amount AS double precision) * j.share AS decimal(38, 10)), 2) AS decimal(38, 10)) END
{%- endmacro %}
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
    SELECT r.*, {{ word_of("r.status_rule", statuses) }} AS status_now
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
    CASE
        WHEN j.status_now IN ('matched', 'superseded') THEN 0
        WHEN NOT j.known OR j.held_sale_amount = 0 THEN {{ cost_by_share() }}
        WHEN j.is_cancel THEN {{ whole_cost("j.commission", "j.cj_fee") }}
        WHEN j.converted THEN NULL
        ELSE {{ cost_of_difference("j.held_sale_amount", "j.sale_amount", "j.commission", "j.cj_fee") }}
    END AS commission_at_risk,
    j.attempts, j.converted AND NOT j.is_cancel AS within_band, CAST(:now AS timestamp with time zone) AS checked_at, CAST(:reading AS bigint) AS reading
FROM judged AS j
