-- What somebody should look at of :publisher_id, the largest difference first.
SELECT r.*
FROM cj.partner_reconciliation AS r
WHERE r.publisher_id = :publisher_id AND r.verdict NOT IN ('{{ at_rest | join("', '") }}')
ORDER BY CASE r.grain WHEN 'month' THEN 0 ELSE 1 END, ABS(r.difference) DESC NULLS FIRST, r.happened_at, r.unit
LIMIT :most
