{% from "fragments.sql" import same_order %}
-- What this package wrote of the orders in cj.settled_orders goes; what CJ wrote of them stays.
{% for table in ("submissions", "reconciliation", "verdicts_log", "quarantine", "skipped") -%}
DELETE FROM cj.{{ table }}
WHERE EXISTS (SELECT 1 FROM cj.settled_orders AS g WHERE {{ same_order("g", "cj." ~ table) }});

{% endfor -%}
DELETE FROM cj.settled_orders
