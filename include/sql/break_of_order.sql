-- The verdict of an order that somebody has to look at, if it has one: the newest state's.
SELECT r.updated_at, r.advertiser_id, r.status, r.reason, r.submitted_amount, r.posted_amount, r.commission_at_risk, r.locking_date
FROM cj.reconciliation AS r
WHERE r.order_id = :order_id AND r.action_tracker_id = :action_tracker_id AND r.enterprise_id = :enterprise_id
  AND r.status IN ('mismatched', 'missing')
ORDER BY r.updated_at DESC
LIMIT 1
