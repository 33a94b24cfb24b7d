-- Records that were gone and are shown again, as cj.incoming_commissions names them: they count again, and that is news of :reading.
UPDATE cj.commissions SET gone_reading = NULL, moved_reading = :reading
WHERE gone_reading IS NOT NULL AND commission_id IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
