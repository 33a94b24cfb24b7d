-- Every time an order was held back, and by which rule.
SELECT q.run_id, q.updated_at, q.stage, q.rule, q.reason, q.detail, q.quarantined_at, q.plan_number
FROM cj.quarantine AS q
WHERE q.order_id = :order_id AND q.action_tracker_id = :action_tracker_id AND q.enterprise_id = :enterprise_id
ORDER BY q.plan_number, q.quarantined_at
