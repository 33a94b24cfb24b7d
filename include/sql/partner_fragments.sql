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
