{#- What reports are made of; what plan and verdicts share is in fragments.sql. -#}
{#- The order states that a report is about, each with the verdict on it: those its runs sent last, and what report_elsewhere.sql gathered. No status means that
    no reconciliation has looked at it yet. Bound to :runs. -#}
{% macro states() -%}
(
    SELECT {{ columns() }} FROM cj.reconciliation WHERE run_id IN (:runs)
    UNION ALL
    SELECT {{ columns() }} FROM cj.report_elsewhere
)
{%- endmacro %}

{% macro columns(of="") -%}
{% for name in ("enterprise_id", "action_tracker_id", "order_id", "updated_at", "advertiser_id", "operation", "status", "reason", "submitted_amount",
    "posted_amount", "difference", "currency", "submitted_at", "posted_at", "locking_date", "days_to_lock", "commission_at_risk", "attempts", "within_band",
    "amount_checked") %}{{ of }}{{ name }}{{ ", " if not loop.last }}{% endfor %}
{%- endmacro %}
