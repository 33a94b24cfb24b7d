-- Every attempt to send an order, in the order of the plans.
SELECT s.run_id, s.chunk_id, s.operation, s.mode, s.advertiser_id, s.updated_at, s.amount, s.discount, s.currency, s.coupon, s.status, s.correction_reason,
    s.attempt, s.outcome, s.submission_id, s.batch_id, s.submitted_at, s.error_message, s.settled_at, s.plan_number
FROM cj.submissions AS s
WHERE s.order_id = :order_id AND s.action_tracker_id = :action_tracker_id AND s.enterprise_id = :enterprise_id
ORDER BY s.plan_number, s.submitted_at, s.updated_at
