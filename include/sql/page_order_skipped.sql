-- Every time there was nothing to send of an order.
SELECT k.run_id, k.updated_at, k.rule, k.reason, k.skipped_at, k.plan_number
FROM cj.skipped AS k
WHERE k.order_id = :order_id AND k.action_tracker_id = :action_tracker_id AND k.enterprise_id = :enterprise_id
ORDER BY k.plan_number, k.skipped_at
