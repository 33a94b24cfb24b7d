{#- What the statements on partners (partner_*.sql) must agree on. -#}

{#- What a publisher sees of a record, or earns: in USD, or in the currency CJ pays it in. -#}
{% macro publishers_figure(record, figure) -%}
CASE WHEN :currency = 'USD' THEN {{ record }}.{{ figure }}_usd ELSE {{ record }}.{{ figure }}_pub_currency END
{%- endmacro %}

{#- Of a record: CJ pays it as it is, whatever changes. -#}
{% macro is_locked(record) -%}
({{ record }}.action_status IN ('locked', 'closed') OR {{ record }}.locking_date <= :now)
{%- endmacro %}

{#- How far a sum of the partner's may be from CJ's: half a cent for each record that CJ gives finer than a cent. -#}
{% macro figures_differ(one, other, finer) -%}
COALESCE(ABS({{ one }} - {{ other }}) > 0.005 * {{ finer }}, FALSE)
{%- endmacro %}

{#- Of a figure: it has digits past the cent. Null is none. -#}
{% macro is_finer(figure) -%}
COALESCE({{ figure }} <> ROUND({{ figure }}, 2), FALSE)
{%- endmacro %}

{#- How differences are put in order: months first, then what cannot be compared, then the largest. Every part of it goes up. -#}
{% macro difference_turn(row) -%}
CASE WHEN {{ row }}.grain = 'month' THEN 0 WHEN {{ row }}.difference IS NULL THEN 1 ELSE 2 END
{%- endmacro %}

{% macro largest_first(row) -%}
-COALESCE(ABS({{ row }}.difference), 0)
{%- endmacro %}

{% macro happened(row) -%}
COALESCE({{ row }}.happened_at, CAST('1970-01-01 00:00:00+00' AS timestamp with time zone))
{%- endmacro %}

{#- The rest of what puts a difference in its place: two orders of one id stand under two trackers. -#}
{% macro which_order(row) -%}
{{ row }}.unit, COALESCE({{ row }}.advertiser_id, ''), COALESCE({{ row }}.action_tracker_id, -1)
{%- endmacro %}

{#- What the rows of a list of differences must be: `asked` names the filters that were given. -#}
{% macro wanted_difference(row, asked, at_rest) -%}
{{ row }}.publisher_id = :publisher_id AND {{ row }}.verdict NOT IN ('{{ at_rest | join("', '") }}')
{%- if "verdict" in asked %} AND {{ row }}.verdict = :verdict{% endif %}
{%- if "money" in asked %} AND {{ row }}.money_state = :money{% endif %}
{%- if "joined" in asked %} AND {{ row }}.joined_by = :joined{% endif %}
{%- if "order" in asked %} AND (
    STRPOS(LOWER(COALESCE({{ row }}.order_id, '')), LOWER(:order)) > 0 OR STRPOS(LOWER(COALESCE({{ row }}.transaction_id, '')), LOWER(:order)) > 0
)
{%- endif %}
{%- endmacro %}

{#- What was restated since the partner saw it. -#}
{% macro is_to_send(row) -%}
{{ row }}.publisher_id = :publisher_id AND {{ row }}.grain = 'order' AND {{ row }}.verdict = 'restated_since'
{%- endmacro %}

{% macro corrected(row) -%}
COALESCE({{ row }}.corrected_at, CAST('1970-01-01 00:00:00+00' AS timestamp with time zone))
{%- endmacro %}
