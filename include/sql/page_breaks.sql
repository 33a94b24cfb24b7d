{% from "fragments.sql" import same_order %}
{% from "page_fragments.sql" import wanted_break, dearest_first, locks_at, holds %}
{% set first = dearest_first("r") if sort == "risk" else locks_at("r") %}
{% set second = locks_at("r") if sort == "risk" else dearest_first("r") %}
-- Breaks as a page shows them: those that cost most first, or that lock first. What comes before a page is passed over by its last row's key, never counted.
WITH page AS (
    SELECT
        r.run_id, r.advertiser_id, r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.operation, r.status, r.reason, r.submitted_amount,
        r.posted_amount, r.difference, r.currency, r.submitted_at, r.posted_at, r.locking_date, r.commission_at_risk, r.attempts, r.checked_at,
        {{ dearest_first("r") }} AS dearest, {{ locks_at("r") }} AS locks
    FROM cj.reconciliation AS r
    WHERE {{ wanted_break("r", asked) }}
    {% if "after" in asked %}
      AND ({{ first }}, {{ second }}, r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at)
          > (:after_first, :after_second, :after_enterprise, :after_tracker, :after_order, :after_updated)
    {% endif %}
    ORDER BY {{ first }}, {{ second }}, r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
    {% if "rows" in asked %}
    LIMIT :rows
    {% endif %}
),

partners AS (
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id, MAX(c.publisher_id) AS publisher_id, MAX(c.publisher_name) AS publisher_name
    FROM cj.commissions AS c
    INNER JOIN page AS p ON p.order_id = c.order_id AND p.action_tracker_id = c.action_tracker_id AND p.advertiser_id = c.advertiser_id
    GROUP BY c.advertiser_id, c.action_tracker_id, c.order_id
),

notes AS (
    SELECT a.enterprise_id, a.action_tracker_id, a.order_id, a.note, a.acknowledged_by, a.acknowledged_at,
        ROW_NUMBER() OVER (PARTITION BY a.enterprise_id, a.action_tracker_id, a.order_id ORDER BY a.acknowledged_at DESC) AS age
    FROM cj.acknowledgements AS a
    INNER JOIN page AS p ON {{ holds("a", "p") }}
)

SELECT p.*, n.publisher_id, n.publisher_name, a.note, a.acknowledged_by, a.acknowledged_at
FROM page AS p
LEFT JOIN partners AS n ON n.order_id = p.order_id AND n.action_tracker_id = p.action_tracker_id AND n.advertiser_id = p.advertiser_id
LEFT JOIN notes AS a ON {{ same_order("a", "p") }} AND a.age = 1
ORDER BY {{ "p.dearest, p.locks" if sort == "risk" else "p.locks, p.dearest" }}, p.enterprise_id, p.action_tracker_id, p.order_id, p.updated_at
