{% from "fragments.sql" import first_rule %}
-- The plan: for every order of cj.plan_input the rule that decides it, by comparing what the warehouse says it should be with what CJ holds (its
-- records) and with what is on its way (our newest live submission). The facts are include/sql/plan_facts.sql; the rules, in the order they are
-- asked, include/restatements/rules/plan.py.
WITH facts AS (
{{ facts }}
),

decided AS (
    SELECT f.*, {{ first_rule(rules) | indent(4) }} AS rule
    FROM facts AS f
)

SELECT
    position, enterprise_id, action_tracker_id, order_id, updated_at, rule, verdict_reason, cj_ids,
    -- The status CJ wants with it: certain where locking is open-ended, left out where it is not. A create has no field for it; it is kept to say
    -- what is still to be told.
    CASE
        WHEN rule = 'create' THEN status
        WHEN open_ended AND rule = 'cancel' THEN 'Declined'
        WHEN open_ended THEN COALESCE(status, CAST(:open_ended_status AS text))
        WHEN locking_unsaid THEN status
    END AS status,
    CAST(attempts + 1 AS integer) AS attempt,
    at_stake, sales_moved, held_sales, publisher_id, publisher_name
FROM decided
ORDER BY position
