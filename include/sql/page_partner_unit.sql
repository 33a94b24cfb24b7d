-- The verdicts on one :unit of :publisher_id: one, or each of those that could not be told apart.
SELECT r.*
FROM cj.partner_reconciliation AS r
WHERE r.publisher_id = :publisher_id AND r.unit = :unit
ORDER BY CASE WHEN r.partner_rows > 0 THEN 0 ELSE 1 END, r.advertiser_id, r.action_tracker_id
