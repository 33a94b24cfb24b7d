{% from "fragments.sql" import may_change %}
-- How many orders, of any night, have a verdict that may still change.
SELECT count(*) AS orders
FROM cj.reconciliation AS r
WHERE {{ may_change("r") }}
