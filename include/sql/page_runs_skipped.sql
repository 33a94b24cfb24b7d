-- For what runs had nothing to send, by reason.
SELECT k.run_id, k.reason, COUNT(*) AS orders
FROM cj.skipped AS k
WHERE k.run_id IN (:runs)
GROUP BY k.run_id, k.reason
ORDER BY k.run_id, COUNT(*) DESC, k.reason
