-- Each partner there is a statement of.
SELECT s.publisher_id, MAX(s.partner) AS partner, MAX(s.checked_at) AS checked_at
FROM cj.partner_statements AS s
GROUP BY s.publisher_id
ORDER BY partner, s.publisher_id
