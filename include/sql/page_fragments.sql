{#- What the statements of the pages (page_*.sql) must agree on. -#}
{% from "fragments.sql" import same_order, may_change %}

{#- Both say the same, or neither says anything. -#}
{% macro alike(one, other, column) -%}
({{ one }}.{{ column }} = {{ other }}.{{ column }} OR {{ one }}.{{ column }} IS NULL AND {{ other }}.{{ column }} IS NULL)
{%- endmacro %}

{#- An acknowledgement is of the verdict that stands: nothing that it was given for is another by now. -#}
{% macro holds(acknowledgement, verdict) -%}
{{ same_order(acknowledgement, verdict) }} AND {{ acknowledgement }}.updated_at = {{ verdict }}.updated_at AND {{ acknowledgement }}.status = {{ verdict }}.status
{%- for column in ("reason", "submitted_amount", "posted_amount", "commission_at_risk", "locking_date") %}

    AND {{ alike(acknowledgement, verdict, column) }}
{%- endfor %}
{%- endmacro %}

{#- How breaks are put in order on a page: what costs most first, what is not known last; then what locks first. Every part of it goes up. -#}
{% macro dearest_first(verdict) -%}
-COALESCE({{ verdict }}.commission_at_risk, -1)
{%- endmacro %}

{% macro locks_at(verdict) -%}
COALESCE({{ verdict }}.locking_date, CAST('9999-12-31 00:00:00+00' AS timestamp with time zone))
{%- endmacro %}

{#- A break that a person can still do something about, or that happened since :since. -#}
{% macro is_open_break(verdict) -%}
({{ verdict }}.submitted_at >= :since OR {{ may_change(verdict) }})
{%- endmacro %}

{#- What the rows of a page of breaks must be: `asked` names the filters that were given. -#}
{% macro wanted_break(r, asked) -%}
{{ r }}.status IN ('mismatched', 'missing')
{%- if "since" in asked %} AND {{ is_open_break(r) }}{% endif %}
{%- if "account" in asked %} AND {{ r }}.advertiser_id = :account{% endif %}
{%- if "status" in asked %} AND {{ r }}.status = :status{% endif %}
{%- if "reason" in asked %} AND COALESCE({{ r }}.reason, 'unknown') = :reason{% endif %}
{%- if "run" in asked %} AND {{ r }}.run_id = :run{% endif %}
{%- if "sent_from" in asked %} AND {{ r }}.submitted_at >= :sent_from{% endif %}
{%- if "sent_before" in asked %} AND {{ r }}.submitted_at < :sent_before{% endif %}
{%- if "locks_before" in asked %} AND {{ r }}.locking_date <= :locks_before{% endif %}
{%- if "locks_after" in asked %} AND ({{ r }}.locking_date IS NULL OR {{ r }}.locking_date > :locks_after){% endif %}
{%- if "order" in asked %} AND STRPOS(LOWER({{ r }}.order_id), LOWER(:order)) > 0{% endif %}
{%- if "acknowledged" in asked %} AND EXISTS (SELECT 1 FROM cj.acknowledgements AS a WHERE {{ holds("a", r) }}){% endif %}
{%- if "open_only" in asked %} AND NOT EXISTS (SELECT 1 FROM cj.acknowledgements AS a WHERE {{ holds("a", r) }}){% endif %}
{%- if "partner" in asked %} AND EXISTS (
    SELECT 1 FROM cj.commissions AS c
    WHERE c.order_id = {{ r }}.order_id AND c.action_tracker_id = {{ r }}.action_tracker_id AND c.advertiser_id = {{ r }}.advertiser_id
      AND (c.publisher_id = :partner OR LOWER(c.publisher_name) = LOWER(:partner))
)
{%- endif %}
{%- endmacro %}

{#- One relation, `priced`: what is held back since :since, each order by the last thing said of it, without those that were sent live since. Rows without an order
    id cannot be told apart, so each of them counts. Its cost, the commission and fee CJ holds on it, is looked up row by row and summed in one step: how
    many rows there are no database can tell from the condition on their age, and one that takes them for few joins two lists of them row against row. -#}
{% macro held_back(asked) -%}
said AS (
    SELECT q.run_id, q.enterprise_id, q.action_tracker_id, q.order_id, q.updated_at, q.stage, COALESCE(q.rule, '') AS rule, q.reason, q.detail,
        q.quarantined_at, q.plan_number, ROW_NUMBER() OVER (
            PARTITION BY q.enterprise_id, q.action_tracker_id, q.order_id
            ORDER BY q.plan_number DESC, q.quarantined_at DESC, q.updated_at DESC, q.stage, q.rule, q.reason, q.detail
        ) AS age
    FROM cj.quarantine AS q
    WHERE q.quarantined_at >= :since
),

held_back AS (
    SELECT s.*
    FROM said AS s
    WHERE (s.age = 1 OR s.order_id IS NULL OR s.action_tracker_id IS NULL)
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS l
          WHERE l.order_id = s.order_id AND l.action_tracker_id = s.action_tracker_id AND l.enterprise_id = s.enterprise_id
            AND l.mode = 'live' AND l.plan_number > s.plan_number
      )
{%- if "rule" in asked %} AND s.rule = :rule{% endif %}
{%- if "reason" in asked %} AND s.reason = :reason{% endif %}
{%- if "stage" in asked %} AND s.stage = :stage{% endif %}
{%- if "run" in asked %} AND s.run_id = :run{% endif %}
{%- if "enterprise" in asked %} AND s.enterprise_id = :enterprise{% endif %}
{%- if "order" in asked %} AND STRPOS(LOWER(s.order_id), LOWER(:order)) > 0{% endif %}

),

numbered AS (SELECT h.*, ROW_NUMBER() OVER (ORDER BY h.order_id) AS row_number FROM held_back AS h),

priced AS (
    SELECT n.run_id, n.enterprise_id, n.action_tracker_id, n.order_id, n.updated_at, n.stage, n.rule, n.reason, n.detail, n.quarantined_at,
        MAX(c.advertiser_id) AS advertiser_id,
        SUM(CASE WHEN c.commission_id IS NOT NULL THEN COALESCE(c.adv_commission_amount, 0) + COALESCE(c.cj_fee, 0) END) AS cost
    FROM numbered AS n
    LEFT JOIN cj.commissions AS c ON c.order_id = n.order_id AND c.action_tracker_id = n.action_tracker_id
    GROUP BY n.row_number, n.run_id, n.enterprise_id, n.action_tracker_id, n.order_id, n.updated_at, n.stage, n.rule, n.reason, n.detail, n.quarantined_at
)
{%- endmacro %}

{#- How cases are put in order on a page: what waits for a person, for CJ, for nobody; then what costs most. Every part of it goes up. -#}
{% macro case_rank(of) -%}
CASE {{ of }}.state WHEN 'answered' THEN 0 WHEN 'ready' THEN 1 WHEN 'filed' THEN 2 WHEN 'closed' THEN 3 ELSE 4 END
{%- endmacro %}

{% macro case_dearest(of) -%}
-COALESCE({{ of }}.at_risk, -1)
{%- endmacro %}
