-- What was sent, by mode, operation and outcome: order states, not attempts. And of all of them the left side of the balance, counted without the verdicts: a
-- row without a mode about the order states that went to CJ live and were not refused, whatever operation and outcome they had. Each is read from the table:
-- of a part of what was grouped before, PostgreSQL expects a few rows, and sorts all of them.
SELECT mode, operation, outcome, count(*) AS orders
FROM (
    SELECT DISTINCT mode, operation, outcome, enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs)
) AS states
GROUP BY mode, operation, outcome
UNION ALL
SELECT NULL, NULL, NULL, count(*)
FROM (
    SELECT DISTINCT enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs) AND mode = 'live' AND outcome IN ('accepted', 'unknown')
) AS live
ORDER BY mode, operation, outcome
