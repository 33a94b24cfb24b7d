-- The verdict on each state of an order as it stands now.
SELECT r.run_id, r.advertiser_id, r.updated_at, r.operation, r.status, r.reason, r.submitted_amount, r.posted_amount, r.difference, r.currency, r.submitted_at,
    r.posted_at, r.locking_date, r.commission_at_risk, r.attempts, r.checked_at
FROM cj.reconciliation AS r
WHERE r.order_id = :order_id AND r.action_tracker_id = :action_tracker_id AND r.enterprise_id = :enterprise_id
ORDER BY r.updated_at
