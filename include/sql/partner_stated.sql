-- The statements of :publisher_id, the newest locking month first.
SELECT s.*, s.open + s.locked + s.payable AS total
FROM cj.partner_statements AS s
WHERE s.publisher_id = :publisher_id
ORDER BY CASE WHEN s.locking_month = 'not set' THEN 0 ELSE 1 END, s.locking_month DESC, s.advertiser_id
