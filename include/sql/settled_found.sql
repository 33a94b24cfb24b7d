{% from "fragments.sql" import same_order, may_change, is_of_an_order %}
{%- set is_its_record -%}
c.advertiser_id = r.advertiser_id AND c.action_tracker_id = r.action_tracker_id AND c.order_id = r.order_id AND {{ is_of_an_order("c") }}
{%- endset %}
-- States, at most :most, of orders that were settled for good before :before: CJ had locked every record of the order, nothing of it was sent, skipped or held
-- back since, no verdict on it may change, nothing of it is on its way, and it is in no case. Whatever happens to such an order, CJ's records say that it is
-- locked, and nothing more is sent of it.
INSERT INTO cj.settled_orders (enterprise_id, action_tracker_id, order_id)
SELECT r.enterprise_id, r.action_tracker_id, r.order_id
FROM cj.reconciliation AS r
WHERE r.submitted_at < :before
  AND NOT EXISTS (SELECT 1 FROM cj.reconciliation AS v WHERE {{ same_order("v", "r") }} AND {{ may_change("v") }})
  AND NOT EXISTS (
      SELECT 1 FROM cj.submissions AS s
      WHERE {{ same_order("s", "r") }} AND (s.submitted_at IS NULL OR s.submitted_at >= :before OR s.outcome = 'unknown' AND s.settled_at IS NULL)
  )
  AND EXISTS (SELECT 1 FROM cj.commissions AS c WHERE {{ is_its_record }})
  AND NOT EXISTS (
      SELECT 1 FROM cj.commissions AS c
      WHERE {{ is_its_record }}
        AND (c.action_status NOT IN ('locked', 'closed') OR c.locking_date IS NULL OR c.locking_date >= :before)
  )
  AND NOT EXISTS (SELECT 1 FROM cj.quarantine AS q WHERE {{ same_order("q", "r") }} AND q.quarantined_at >= :before)
  AND NOT EXISTS (SELECT 1 FROM cj.skipped AS k WHERE {{ same_order("k", "r") }} AND k.skipped_at >= :before)
{%- for table in ("planned", "unjudged", "case_orders") %}
  AND NOT EXISTS (SELECT 1 FROM cj.{{ table }} AS o WHERE {{ same_order("o", "r") }})
{%- endfor %}

LIMIT :most
