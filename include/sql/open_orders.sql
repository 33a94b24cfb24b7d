{% from "fragments.sql" import same_order %}
-- The orders to look at: those with a live submission that has no verdict yet or an open one, or whose newest submission came after its verdict, or
-- one whose unknown outcome was written down after its order was settled. And every order ever sent of which a record was read, or moved, since the orders
-- of its advertiser were judged last: what CJ holds of it may be another state now, however long ago it was matched.
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
UNION
SELECT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.accounts_now AS a
INNER JOIN cj.commissions AS c USING (advertiser_id)
INNER JOIN cj.submissions AS s USING (advertiser_id, action_tracker_id, order_id)
WHERE c.reading > a.judged_reading AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
UNION
SELECT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.accounts_now AS a
INNER JOIN cj.commissions AS c USING (advertiser_id)
INNER JOIN cj.submissions AS s USING (advertiser_id, action_tracker_id, order_id)
WHERE c.moved_reading > a.judged_reading AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
