{% from "fragments.sql" import same_order, is_missing %}
-- The orders to look at: those with a live submission that has no verdict yet or an open one, or whose newest submission came after its verdict, or
-- one whose unknown outcome was written down after its order was settled. And every order ever sent of which a record was read, or moved, since the orders
-- of its advertiser were judged last: what CJ holds of it may be another state now, however long ago it was matched. So may what CJ
-- holds of a matched one of which a record could not be kept.
INSERT INTO cj.open_orders (enterprise_id, action_tracker_id, order_id)
SELECT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.submissions AS s
INNER JOIN cj.accounts_now AS a USING (advertiser_id)
LEFT JOIN cj.reconciliation AS r
    ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at
WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
  AND (
      r.status IS NULL OR r.status IN ('awaiting', 'late', 'mismatched', 'missing') OR r.plan_number < s.plan_number
      OR (s.outcome = 'unknown' AND s.settled_at IS NULL)
  )
{# One branch each, so that each is found by its own index. #}
{% for news in ("reading", "moved_reading") %}
UNION
SELECT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.accounts_now AS a
INNER JOIN cj.commissions AS c USING (advertiser_id)
INNER JOIN cj.submissions AS s USING (advertiser_id, action_tracker_id, order_id)
WHERE c.{{ news }} > a.judged_reading AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
{% endfor %}
UNION
SELECT r.enterprise_id, r.action_tracker_id, r.order_id
FROM cj.ledger_set_aside AS d
INNER JOIN cj.accounts_now AS a USING (advertiser_id)
INNER JOIN cj.reconciliation AS r
    ON r.advertiser_id = d.advertiser_id AND r.order_id = d.order_id AND r.action_tracker_id = COALESCE(d.action_tracker_id, r.action_tracker_id)
WHERE r.status = 'matched' AND {{ is_missing("d") }}
