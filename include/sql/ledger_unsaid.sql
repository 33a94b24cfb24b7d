-- Of the ids in cj.incoming_commissions, the records that were read before it was asked what their publisher sees and earns.
SELECT c.commission_id
FROM cj.commissions AS c
WHERE c.pub_commission_amount_usd IS NULL AND c.commission_id IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
