{% from "fragments.sql" import same_order %}
{% from "page_fragments.sql" import holds, locks_at %}
{% set dearest = "-COALESCE(o.at_stake, o.verdict_risk, -1)" %}
-- What a review found, what costs most first and what locks first. Bound to :review and to what `asked` names. A note is of the break that stands.
WITH page AS (
    SELECT o.*, {{ dearest }} AS dearest, {{ locks_at("o") }} AS locks
    FROM cj.prelock_orders AS o
    WHERE o.review = :review
    {% if "near" in asked %} AND o.near AND (o.finding NOT IN ('agrees', 'on_its_way') OR o.verdict IS NOT NULL){% endif %}
    {% if "finding" in asked %} AND o.finding = :finding{% endif %}
    {% if "reason" in asked %} AND o.reason = :reason{% endif %}
    {% if "account" in asked %} AND o.advertiser_id = :account{% endif %}
    {% if "extension" in asked %} AND o.extension = :extension{% endif %}
    {% if "extensions" in asked %} AND o.extension IS NOT NULL{% endif %}
    {% if "broken" in asked %} AND o.verdict IS NOT NULL{% endif %}
    {% if "order" in asked %} AND STRPOS(LOWER(o.order_id), LOWER(:order)) > 0{% endif %}
    {% if "after" in asked %}
      AND ({{ dearest }}, {{ locks_at("o") }}, o.enterprise_id, o.action_tracker_id, o.order_id)
          > (:after_first, :after_second, :after_enterprise, :after_tracker, :after_order)
    {% endif %}
    ORDER BY {{ dearest }}, {{ locks_at("o") }}, o.enterprise_id, o.action_tracker_id, o.order_id
    {% if "rows" in asked %}
    LIMIT :rows
    {% endif %}
),

notes AS (
    SELECT a.enterprise_id, a.action_tracker_id, a.order_id, a.note, a.acknowledged_by, a.acknowledged_at,
        ROW_NUMBER() OVER (PARTITION BY a.enterprise_id, a.action_tracker_id, a.order_id ORDER BY a.acknowledged_at DESC) AS age
    FROM cj.acknowledgements AS a
    INNER JOIN page AS p ON {{ same_order("a", "p") }}
    INNER JOIN cj.reconciliation AS r ON {{ same_order("r", "p") }} AND r.updated_at = p.verdict_of
    WHERE {{ holds("a", "r") }}
)

SELECT p.*, a.note, a.acknowledged_by AS noted_by, a.acknowledged_at AS noted_at
FROM page AS p
LEFT JOIN notes AS a ON {{ same_order("a", "p") }} AND a.age = 1
ORDER BY p.dearest, p.locks, p.enterprise_id, p.action_tracker_id, p.order_id
