-- What was sent, by mode, operation and outcome: order states, not attempts.
SELECT mode, operation, outcome, count(*) AS orders
FROM (
    SELECT DISTINCT mode, operation, outcome, enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs)
) AS states
GROUP BY mode, operation, outcome
ORDER BY mode, operation, outcome
