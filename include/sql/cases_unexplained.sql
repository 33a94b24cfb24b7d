{% from "fragments.sql" import same_order %}
{% from "page_fragments.sql" import is_open_break %}
-- The breaks that nothing explains, each with every time it was sent: what CJ's support has to look at. `rules` name the verdicts and reasons that are a case.
-- Bound to :since, the first of the last nights, and :attempts, how often it has to have been sent. What is in a case that was filed is left out: in that
-- very state always, in another while the case is open.
WITH found AS (
    SELECT r.enterprise_id, r.advertiser_id, r.action_tracker_id, r.order_id, r.updated_at, r.operation, r.status, r.reason, r.submitted_amount, r.posted_amount,
        r.currency, r.commission_at_risk, r.locking_date, r.checked_at, s.submitted_at, s.submission_id, s.batch_id, s.outcome, s.error_message,
        s.discount, s.coupon
    FROM cj.reconciliation AS r
    LEFT JOIN cj.submissions AS s
        ON {{ same_order("s", "r") }} AND s.updated_at = r.updated_at AND s.mode = 'live'
    WHERE r.status IN ('mismatched', 'missing') AND {{ is_open_break("r") }} AND r.attempts >= :attempts
      AND (
{%- for rule in rules %}
          {{ "OR " if not loop.first }}r.status = '{{ rule.status }}' AND r.reason IN ('{{ rule.reasons | join("', '") }}')
{%- endfor %}

      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.case_orders AS o
          INNER JOIN cj.cases AS c ON c.case_id = o.case_id
          WHERE {{ same_order("o", "r") }} AND c.state <> 'ready' AND (o.updated_at = r.updated_at OR c.state IN ('filed', 'answered'))
      )
),

keys AS (
    SELECT DISTINCT advertiser_id, action_tracker_id, order_id FROM found
),

records AS (
    SELECT c.* FROM cj.commissions AS c INNER JOIN keys USING (advertiser_id, action_tracker_id, order_id)
),

held AS (
{% with records = "records" %}
{% include "order_state.sql" %}
{% endwith %}

),

newest AS (
    SELECT advertiser_id, action_tracker_id, order_id, commission_id,
        ROW_NUMBER() OVER (PARTITION BY advertiser_id, action_tracker_id, order_id ORDER BY posting_date DESC, LENGTH(commission_id) DESC, commission_id DESC) AS age
    FROM records
    WHERE gone_reading IS NULL
)

SELECT f.*, h.order_discount AS discount_shown, h.coupon AS coupon_shown, n.commission_id AS newest_record
FROM found AS f
LEFT JOIN held AS h USING (advertiser_id, action_tracker_id, order_id)
LEFT JOIN newest AS n ON n.advertiser_id = f.advertiser_id AND n.action_tracker_id = f.action_tracker_id AND n.order_id = f.order_id AND n.age = 1
ORDER BY f.enterprise_id, f.status, f.operation, f.reason, f.commission_at_risk DESC NULLS LAST, f.action_tracker_id, f.order_id, f.updated_at,
    f.submitted_at, f.submission_id
