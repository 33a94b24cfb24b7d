-- Every change of verdict on an order's states.
SELECT l.run_id, l.updated_at, l.change, l.status, l.reason, l.status_before, l.reason_before, l.posted_amount, l.difference, l.commission_at_risk, l.checked_at
FROM cj.verdicts_log AS l
WHERE l.order_id = :order_id AND l.action_tracker_id = :action_tracker_id AND l.enterprise_id = :enterprise_id
ORDER BY l.updated_at, l.change
