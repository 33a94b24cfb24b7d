-- The orders to look at: those with a live submission that has no verdict yet or an open one, or whose newest submission came after its verdict,
-- or one whose unknown outcome was written down after its order was settled.
INSERT INTO cj.open_orders (enterprise_id, action_tracker_id, order_id)
SELECT DISTINCT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.submissions AS s
INNER JOIN cj.accounts_now AS a ON a.advertiser_id = s.advertiser_id
LEFT JOIN cj.reconciliation AS r
    ON r.enterprise_id = s.enterprise_id AND r.action_tracker_id = s.action_tracker_id AND r.order_id = s.order_id
    AND r.updated_at = s.updated_at
WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
  AND (r.status IS NULL OR r.status IN ('awaiting', 'late', 'mismatched', 'missing') OR (r.status = 'matched' AND r.submitted_at < s.submitted_at)
      OR (s.outcome = 'unknown' AND s.settled_at IS NULL))
