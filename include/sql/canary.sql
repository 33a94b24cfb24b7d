-- What became of some chunks of a run that went live: their orders by operation and verdict, and when the last of them was sent. Bound to :run_id; (:chunks) are
-- their ids.
SELECT s.operation, COALESCE(r.status, CASE WHEN s.outcome = 'rejected' THEN NULL ELSE 'awaiting' END) AS status, MIN(r.reason) AS reason, COUNT(*) AS orders,
    MIN(s.order_id) AS order_id, MAX(s.submitted_at) AS last_at
FROM cj.submissions AS s
LEFT JOIN cj.reconciliation AS r
    ON r.enterprise_id = s.enterprise_id AND r.action_tracker_id = s.action_tracker_id AND r.order_id = s.order_id AND r.updated_at = s.updated_at
    AND s.outcome <> 'rejected'
WHERE s.run_id = :run_id AND s.chunk_id IN (:chunks) AND s.mode = 'live'
GROUP BY s.operation, COALESCE(r.status, CASE WHEN s.outcome = 'rejected' THEN NULL ELSE 'awaiting' END)
ORDER BY 1, 2
