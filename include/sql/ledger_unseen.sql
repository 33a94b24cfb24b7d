-- Whether one of the records in cj.asked_commissions may be another one now: a row where CJ showed some record, and not it.
SELECT a.commission_id
FROM cj.asked_commissions AS a
WHERE a.commission_id NOT IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
  AND EXISTS (SELECT 1 FROM cj.incoming_commissions AS o)
LIMIT 1
