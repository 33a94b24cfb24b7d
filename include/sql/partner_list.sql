-- Each partner there is a statement of, or whose log was loaded and judged while CJ has no record of it.
SELECT s.publisher_id, MAX(s.partner) AS partner, MAX(s.checked_at) AS checked_at
FROM cj.partner_statements AS s
GROUP BY s.publisher_id
UNION ALL
SELECT r.publisher_id, MAX(r.partner) AS partner, MAX(r.checked_at) AS checked_at
FROM cj.partner_reconciliation AS r
WHERE r.publisher_id IN (
    SELECT l.publisher_id FROM cj.partner_loads AS l WHERE l.publisher_id NOT IN (SELECT s.publisher_id FROM cj.partner_statements AS s)
)
GROUP BY r.publisher_id
ORDER BY partner, publisher_id
