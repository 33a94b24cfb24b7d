-- What runs have sent, by mode, operation and outcome: order states, and when.
SELECT s.run_id, s.mode, s.operation, s.outcome, COUNT(*) AS orders, MIN(s.submitted_at) AS first_at, MAX(s.submitted_at) AS last_at
FROM cj.submissions AS s
WHERE s.run_id IN (:runs)
GROUP BY s.run_id, s.mode, s.operation, s.outcome
ORDER BY s.run_id, s.mode, s.operation, s.outcome
