-- A note on the break that stands now.
INSERT INTO cj.acknowledgements (
    enterprise_id, action_tracker_id, order_id, updated_at, advertiser_id, status, reason, submitted_amount, posted_amount, commission_at_risk,
    locking_date, note, acknowledged_by, run_id, acknowledged_at
)
SELECT
    r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.advertiser_id, r.status, r.reason, r.submitted_amount, r.posted_amount,
    r.commission_at_risk, r.locking_date, :note, :acknowledged_by, :run_id, :acknowledged_at
FROM cj.reconciliation AS r
WHERE r.order_id = :order_id AND r.action_tracker_id = :action_tracker_id AND r.enterprise_id = :enterprise_id AND r.updated_at = :updated_at
  AND r.status IN ('mismatched', 'missing')
