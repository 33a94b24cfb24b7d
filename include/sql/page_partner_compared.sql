-- How many orders of :publisher_id that were sold from :since on were compared, and how many of them are at rest.
SELECT COUNT(*) AS orders, SUM(CASE WHEN r.verdict = 'agree' THEN 1 ELSE 0 END) AS agree, SUM(CASE WHEN r.verdict = 'awaiting' THEN 1 ELSE 0 END) AS awaiting
FROM cj.partner_reconciliation AS r
WHERE r.publisher_id = :publisher_id AND r.happened_at >= :since AND r.grain = 'order'
