{% from "fragments.sql" import same_order %}
-- The states that were sent, and whose orders were to lock, before :before, the oldest first but for :passed of them, and at most :most: their orders may be
-- settled for good (settled_kept.sql). Orders of cases are kept for ever, and so are those of accounts that are read no more: of many of them nothing else
-- would be found behind them.
INSERT INTO cj.settled_orders (advertiser_id, enterprise_id, action_tracker_id, order_id)
SELECT r.advertiser_id, r.enterprise_id, r.action_tracker_id, r.order_id
FROM cj.reconciliation AS r
WHERE r.submitted_at < :before AND r.locking_date < :before
  AND EXISTS (SELECT 1 FROM cj.accounts_now AS a WHERE a.advertiser_id = r.advertiser_id)
  AND NOT EXISTS (SELECT 1 FROM cj.case_orders AS o WHERE {{ same_order("o", "r") }})
ORDER BY r.submitted_at, r.order_id, r.action_tracker_id, r.enterprise_id, r.updated_at
LIMIT :most OFFSET :passed
