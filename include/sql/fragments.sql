{#-
  What the plan and the verdicts must agree on, each told once. Arguments are SQL expressions or aliases.
-#}

{#- CJ's sale amount of an order of ours: gross of the order discount, or net of it. -#}
{% macro sale_amount(amount, discount, basis) -%}
CASE WHEN {{ basis }} = 'gross' THEN {{ amount }} ELSE {{ amount }} - COALESCE({{ discount }}, 0) END
{%- endmacro %}

{#- Whether CJ converts the order's currency. No currency is the advertiser's own. -#}
{% macro is_converted(currency, functional_currency) -%}
COALESCE({{ currency }}, {{ functional_currency }}) <> {{ functional_currency }}
{%- endmacro %}

{#- What CJ made of an order's currency. -#}
{% macro rate(held_sale_amount, sale_amount) -%}
CAST({{ held_sale_amount }} AS double precision) / CAST({{ sale_amount }} AS double precision)
{%- endmacro %}

{#- Of a few cents, rounding to the cent tells nothing about the rate: the larger orders say it. -#}
{% macro tells_the_rate(sale_amount, largest) -%}
2 * {{ sale_amount }} >= LEAST(20, {{ largest }})
{%- endmacro %}

{#- A converted amount is near the rate that other orders show, or within what CJ's rounding to the cent explains: this amount, its discount, and
    those the rate was read from. Null where no rate is known. -#}
{% macro near_the_rate(rate, middle_rate, held_sale_amount, sale_amount) -%}
(
    ABS({{ rate }} / NULLIF({{ middle_rate }}, 0) - 1) <= :currency_band
    OR ABS(CAST({{ held_sale_amount }} AS double precision) - CAST({{ sale_amount }} AS double precision) * {{ middle_rate }}) < 0.035
)
{%- endmacro %}

{#- CJ holds nothing of the order any more: cancelled, or restated to nothing. The two look alike. -#}
{% macro holds_nothing(records, sale_amount, discount, items_mark) -%}
{{ records }} > 1 AND {{ sale_amount }} = 0 AND {{ discount }} = 0 AND {{ items_mark }} = 0
{%- endmacro %}

{#- CJ pays nothing on the order. Of a sale below 1.00 the commission may be less than half a cent: nothing paid says nothing there. -#}
{% macro pays_nothing(held_sale_amount, held_discount, basis, commission, cj_fee) -%}
{{ held_sale_amount }} - CASE WHEN {{ basis }} = 'gross' THEN {{ held_discount }} ELSE 0 END >= 1 AND {{ commission }} = 0 AND {{ cj_fee }} = 0
{%- endmacro %}

{#- Commission and fee, all of them: what a cancellation that does not arrive costs. -#}
{% macro whole_cost(commission, cj_fee) -%}
CAST({{ commission }} + {{ cj_fee }} AS decimal(38, 10))
{%- endmacro %}

{#- An estimate, rounded to the cent: the commission and fee on the part of the sale that is wrong. -#}
{% macro cost_of_difference(held_sale_amount, sale_amount, commission, cj_fee) -%}
CAST(ROUND(CAST(
    CAST(ABS({{ held_sale_amount }} - {{ sale_amount }}) AS double precision)
    * CAST({{ commission }} + {{ cj_fee }} AS double precision) / CAST({{ held_sale_amount }} AS double precision)
AS decimal(38, 10)), 2) AS decimal(38, 10))
{%- endmacro %}

{#- Two rows are of one order, where no USING can say so. -#}
{% macro same_order(one, other) -%}
{{ one }}.enterprise_id = {{ other }}.enterprise_id AND {{ one }}.action_tracker_id = {{ other }}.action_tracker_id AND {{ one }}.order_id = {{ other }}.order_id
{%- endmacro %}

{#- The first rule whose condition holds; null where none does. -#}
{% macro first_rule(rules) -%}
CASE
{%- for rule in rules %}
    WHEN {{ rule.condition }} THEN '{{ rule.id }}'
{%- endfor %}
END
{%- endmacro %}

{#- The word that a rule stands for. -#}
{% macro word_of(rule, rules) -%}
CASE {{ rule }}
{%- for told in rules if told.word %} WHEN '{{ told.id }}' THEN '{{ told.word }}'{% endfor %} END
{%- endmacro %}

{#- Three relations: the records of the wanted orders, what CJ holds of each, and which of them it holds under another action tracker. -#}
{% macro what_cj_holds(wanted) -%}
named AS (SELECT DISTINCT advertiser_id, order_id FROM {{ wanted }}),

records AS (
    SELECT c.* FROM cj.commissions AS c
    INNER JOIN named AS n USING (advertiser_id, order_id)
),

held AS (
{% with records = "records" %}
{% include "order_state.sql" %}
{% endwith %}
),

elsewhere AS (
    SELECT DISTINCT w.advertiser_id, w.action_tracker_id, w.order_id
    FROM {{ wanted }} AS w
    INNER JOIN held AS h
        ON h.advertiser_id = w.advertiser_id AND h.order_id = w.order_id AND h.action_tracker_id <> w.action_tracker_id
)
{%- endmacro %}

{#- Of a row of cj.ledger_set_aside: its record is not in the ledger, and no later reading has brought it. -#}
{% macro is_missing(aside) -%}
NOT {{ aside }}.kept AND NOT EXISTS (SELECT 1 FROM cj.commissions AS c WHERE c.commission_id = {{ aside }}.commission_id)
{%- endmacro %}

{#- A record of the order could not be kept: what the order comes to at CJ is not known. -#}
{% macro is_in_doubt(order) -%}
EXISTS (
    SELECT 1 FROM cj.ledger_set_aside AS a
    WHERE a.advertiser_id = {{ order }}.advertiser_id AND a.order_id = {{ order }}.order_id
        AND COALESCE(a.action_tracker_id, {{ order }}.action_tracker_id) = {{ order }}.action_tracker_id AND {{ is_missing("a") }}
)
{%- endmacro %}
