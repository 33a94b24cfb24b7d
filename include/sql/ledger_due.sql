-- The records of :advertiser_id whose status and lock date are asked for again: those that lock by :until, and, of orders that were sent or held back
-- after :cared_for_since, of what did not arrive (CJ may have locked it ahead of its date) and of what was locked (CJ may have extended it since).
SELECT c.commission_id, c.posting_date
FROM cj.commissions AS c
WHERE c.advertiser_id = :advertiser_id AND c.action_status IN ('new', 'extended') AND c.locking_date <= :until
UNION
SELECT c.commission_id, c.posting_date
FROM cj.reconciliation AS r
INNER JOIN cj.commissions AS c USING (advertiser_id, action_tracker_id, order_id)
WHERE r.advertiser_id = :advertiser_id AND r.submitted_at > :cared_for_since AND c.action_status <> 'closed'
  AND (r.status = 'late' OR (r.status = 'missing' AND r.reason IN ('unknown', 'locked')))
UNION
SELECT c.commission_id, c.posting_date
FROM cj.quarantine AS q
INNER JOIN cj.commissions AS c USING (action_tracker_id, order_id)
WHERE c.advertiser_id = :advertiser_id AND q.reason = 'locked' AND q.quarantined_at > :cared_for_since AND c.action_status = 'locked'
