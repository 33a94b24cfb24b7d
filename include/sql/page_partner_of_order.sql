-- What is said of an order beside what each of its partners saw; a row of the partner's alone names no tracker.
SELECT r.*
FROM cj.partner_reconciliation AS r
WHERE r.order_id = :order_id AND r.grain = 'order' AND COALESCE(r.action_tracker_id, :action_tracker_id) = :action_tracker_id
ORDER BY r.publisher_id, r.unit, CASE WHEN r.partner_rows > 0 THEN 0 ELSE 1 END, r.advertiser_id
