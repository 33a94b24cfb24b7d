{% from "fragments.sql" import same_order %}
{%- macro same_state(one, other) -%}
{{ same_order(one, other) }} AND {{ one }}.updated_at = {{ other }}.updated_at
{%- endmacro %}
{%- set key = "enterprise_id, action_tracker_id, order_id, updated_at" %}
{%- macro either(now, before) -%}
CASE WHEN t.of_now THEN {{ now }} ELSE {{ before }} END
{%- endmacro %}
-- Every change of verdict is appended to cj.verdicts_log, told against its own newest row: cj.reconciliation may have been emptied and judged anew.
-- Where the log has no row of a state yet, it begins with the verdict that stood before. The log is looked into once: DuckDB goes through all of it.
INSERT INTO cj.verdicts_log (
    {{ key }}, advertiser_id, run_id, operation, submitted_at, change, status, reason,
    status_before, reason_before, posted_amount, difference, commission_at_risk, checked_at
)
WITH logged AS (
    SELECT {{ key }}, l.change, l.status, l.reason, ROW_NUMBER() OVER (PARTITION BY {{ key }} ORDER BY l.change DESC) AS age
    FROM cj.verdicts_log AS l
    INNER JOIN cj.verdicts AS v USING ({{ key }})
)

SELECT
    v.enterprise_id, v.action_tracker_id, v.order_id, v.updated_at,
    {% for name in ("advertiser_id", "run_id", "operation", "submitted_at") %}{{ either("v." ~ name, "r." ~ name) }}, {% endfor %}
    CASE WHEN t.of_now THEN COALESCE(l.change, CASE WHEN r.status IS NULL THEN 0 ELSE 1 END) + 1 ELSE 1 END,
    {{ either("v.status", "r.status") }}, {{ either("v.reason", "r.reason") }},
    CASE WHEN NOT t.of_now THEN NULL WHEN l.change IS NULL THEN r.status ELSE l.status END,
    CASE WHEN NOT t.of_now THEN NULL WHEN l.change IS NULL THEN r.reason ELSE l.reason END,
    {% for name in ("posted_amount", "difference", "commission_at_risk", "checked_at") %}{{ either("v." ~ name, "r." ~ name) }}{{ ", " if not loop.last }}{% endfor %}

FROM cj.verdicts AS v
LEFT JOIN logged AS l ON l.age = 1 AND {{ same_state("l", "v") }}
LEFT JOIN cj.reconciliation AS r ON {{ same_state("r", "v") }}
CROSS JOIN (SELECT TRUE AS of_now UNION ALL SELECT FALSE) AS t
WHERE CASE
    WHEN l.change IS NOT NULL THEN t.of_now AND (v.status <> l.status OR COALESCE(v.reason, '') <> COALESCE(l.reason, ''))
    WHEN r.status IS NULL THEN t.of_now
    ELSE v.status <> r.status OR COALESCE(v.reason, '') <> COALESCE(r.reason, '')
END;

-- The newest verdict replaces the one before; cj.verdicts holds this round's. An unknown outcome that posted was accepted; one whose hour is
-- over and which did not post is settled, and may be planned again. A verdict is on the newest attempt of its state: an attempt before it was
-- settled as not posted when that one was planned, and does not become accepted because the later one arrived.
DELETE FROM cj.reconciliation
WHERE EXISTS (
    SELECT 1 FROM cj.verdicts AS v WHERE {{ same_state("v", "cj.reconciliation") }}
);

INSERT INTO cj.reconciliation (
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, plan_number, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at, reading, rate, amount_checked
)
SELECT
    run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount,
    difference, currency, submitted_at, plan_number, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at, reading, rate, amount_checked
FROM cj.verdicts;

UPDATE cj.submissions SET outcome = 'accepted', settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE {{ same_state("v", "cj.submissions") }} AND v.status IN ('matched', 'mismatched') AND v.plan_number = cj.submissions.plan_number
);

UPDATE cj.submissions SET settled_at = :now
WHERE mode = 'live' AND outcome = 'unknown' AND settled_at IS NULL AND EXISTS (
    SELECT 1 FROM cj.verdicts AS v
    WHERE {{ same_state("v", "cj.submissions") }}
      AND (v.status IN ('late', 'missing', 'superseded') OR v.plan_number > cj.submissions.plan_number)
)
