-- The states that were sent, and whose orders were to lock, before :before, the oldest first and at most :most of them: their orders may be settled for good
-- (settled_kept.sql).
INSERT INTO cj.settled_orders (advertiser_id, enterprise_id, action_tracker_id, order_id)
SELECT advertiser_id, enterprise_id, action_tracker_id, order_id
FROM cj.reconciliation
WHERE submitted_at < :before AND locking_date < :before
ORDER BY submitted_at
LIMIT :most
