-- What CJ refused in live mode although Test Mode had taken it, in CJ's words.
SELECT coalesce(error_message, '') AS message, count(*) AS orders
FROM cj.submissions
WHERE run_id IN (:runs) AND mode = 'live' AND outcome = 'rejected'
GROUP BY coalesce(error_message, '')
ORDER BY count(*) DESC, coalesce(error_message, '')
LIMIT :top
