-- An order that a run has planned and not posted yet.
SELECT p.run_id, p.chunk_id, p.operation, p.updated_at, p.planned_at
FROM cj.planned AS p
WHERE p.order_id = :order_id AND p.action_tracker_id = :action_tracker_id AND p.enterprise_id = :enterprise_id
ORDER BY p.planned_at
