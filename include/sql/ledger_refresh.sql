-- What CJ itself moves on a record, as it stands in cj.incoming_commissions now; a lock date that was moved, or a lock
-- that was taken off, is news of :reading. That another status was read by it is kept beside: it is no news to a plan, and what is open is counted by it.
UPDATE cj.commissions SET
    moved_reading = CASE
        WHEN cj.commissions.locking_date <> n.locking_date
            OR (cj.commissions.action_status IN ('locked', 'closed') AND n.action_status IN ('new', 'extended'))
            THEN CAST(:reading AS bigint)
        ELSE cj.commissions.moved_reading
    END,
    status_reading = CASE WHEN cj.commissions.action_status <> n.action_status THEN CAST(:reading AS bigint) ELSE cj.commissions.status_reading END,
    action_status = n.action_status,
    locking_date = n.locking_date
FROM (
    SELECT i.commission_id, MAX(i.action_status) AS action_status, MAX(i.locking_date) AS locking_date
    FROM cj.incoming_commissions AS i
    GROUP BY i.commission_id
) AS n
WHERE n.commission_id = cj.commissions.commission_id
