-- What CJ itself moves on a record, as it stands in cj.incoming_commissions now; a lock date that was moved is news of :reading.
UPDATE cj.commissions SET
    moved_reading = CASE
        WHEN locking_date <> (SELECT MAX(n.locking_date) FROM cj.incoming_commissions AS n WHERE n.commission_id = cj.commissions.commission_id)
            THEN CAST(:reading AS bigint)
        ELSE moved_reading
    END,
    action_status = (SELECT MAX(n.action_status) FROM cj.incoming_commissions AS n WHERE n.commission_id = cj.commissions.commission_id),
    locking_date = (SELECT MAX(n.locking_date) FROM cj.incoming_commissions AS n WHERE n.commission_id = cj.commissions.commission_id)
WHERE commission_id IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
