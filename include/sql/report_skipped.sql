-- Orders for which there was nothing to send, by reason.
SELECT reason, count(*) AS orders
FROM (
    SELECT DISTINCT reason, enterprise_id, action_tracker_id, order_id
    FROM cj.skipped
    WHERE run_id IN (:runs)
) AS orders
GROUP BY reason
ORDER BY reason
