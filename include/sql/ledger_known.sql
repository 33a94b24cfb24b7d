-- Of the ids in cj.incoming_commissions, those that must not simply be appended: what the ledger holds already, and what came more than once.
SELECT i.commission_id, TRUE AS kept
FROM cj.incoming_commissions AS i
WHERE EXISTS (SELECT 1 FROM cj.commissions AS c WHERE c.commission_id = i.commission_id)
UNION ALL
SELECT i.commission_id, FALSE AS kept
FROM cj.incoming_commissions AS i
GROUP BY i.commission_id
HAVING COUNT(*) > 1
