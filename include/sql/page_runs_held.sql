-- What runs have held back, by stage, rule and reason.
SELECT q.run_id, q.stage, COALESCE(q.rule, '') AS rule, q.reason, COUNT(*) AS orders
FROM cj.quarantine AS q
WHERE q.run_id IN (:runs)
GROUP BY q.run_id, q.stage, COALESCE(q.rule, ''), q.reason
ORDER BY q.run_id, COUNT(*) DESC, q.stage, COALESCE(q.rule, ''), q.reason
