-- The calls of a run: each chunk with its orders and money, and what CJ answered.
SELECT s.chunk_id, s.operation, s.mode, s.outcome, s.currency, COUNT(*) AS orders, SUM(s.amount) AS amount, MIN(s.submitted_at) AS submitted_at,
    MIN(s.submission_id) AS submission_id, COUNT(DISTINCT s.submission_id) AS submissions, MIN(s.batch_id) AS batch_id, MIN(s.error_message) AS message
FROM cj.submissions AS s
WHERE s.run_id = :run
GROUP BY s.chunk_id, s.operation, s.mode, s.outcome, s.currency
ORDER BY MIN(s.submitted_at), s.chunk_id, s.mode, s.outcome, s.currency
