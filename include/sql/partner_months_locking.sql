-- The months in which records of :publisher_id lock, from :locks_since: a moment of each.
SELECT DISTINCT DATE_TRUNC('month', c.locking_date) AS begins
FROM cj.commissions AS c
WHERE c.publisher_id = :publisher_id AND c.locking_date >= :locks_since
