-- The left side of the balance, counted without the verdicts: order states that went to CJ live and were not refused.
SELECT count(*) AS orders
FROM (
    SELECT DISTINCT enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs) AND mode = 'live' AND outcome IN ('accepted', 'unknown')
) AS states
