{% from "fragments.sql" import is_of_an_order %}
-- cj.held_open of :advertiser_id, made anew from the records: of the orders in cj.held_news, or of every order (`whole`).
DELETE FROM cj.held_open
WHERE advertiser_id = :advertiser_id
{% if not whole %}
  AND EXISTS (SELECT 1 FROM cj.held_news AS n WHERE n.action_tracker_id = cj.held_open.action_tracker_id AND n.order_id = cj.held_open.order_id)
{% endif %};

{# Of some orders all records are read and the open ones counted: a filter beside the join would have PostgreSQL follow the orders' index from the first order
    there ever was to the next that is open, where it takes the few for the end of it. #}
{%- set is_open -%}
c.action_status IN ('new', 'extended') AND {{ is_of_an_order("c") }}
{%- endset %}
{%- macro open(value) -%}
CASE WHEN {{ is_open }} THEN {{ value }} END
{%- endmacro %}
INSERT INTO cj.held_open (
    advertiser_id, action_tracker_id, order_id, placed_at, locks_at, sale_amount, order_discount, sold_amount, sold_discount
)
SELECT c.advertiser_id, c.action_tracker_id, c.order_id, MIN({{ open("c.event_date") }}),
    CASE WHEN COUNT({{ open("c.locking_date") }}) = COUNT({{ open("1") }}) THEN MAX({{ open("c.locking_date") }}) END,
    SUM(COALESCE({{ open("c.sale_amount") }}, 0)), SUM(COALESCE({{ open("c.order_discount") }}, 0)),
    SUM(CASE WHEN c.original THEN COALESCE({{ open("c.sale_amount") }}, 0) ELSE 0 END),
    SUM(CASE WHEN c.original THEN COALESCE({{ open("c.order_discount") }}, 0) ELSE 0 END)
FROM cj.commissions AS c
{% if not whole %}
INNER JOIN cj.held_news AS n USING (advertiser_id, action_tracker_id, order_id)
{% endif %}
WHERE c.advertiser_id = :advertiser_id AND c.order_id IS NOT NULL AND c.order_id <> ''{% if whole %} AND {{ is_open }}{% endif %}

GROUP BY c.advertiser_id, c.action_tracker_id, c.order_id
HAVING COUNT({{ open("1") }}) > 0;

DELETE FROM cj.held_news
