{% from "fragments.sql" import same_order %}
-- How the orders stand of every case that was filed and is about orders: how many there are, of how many the newest verdict is that CJ holds what was sent, and of
-- how many a verdict is a break. An order in a later state counts as that state does. Bound to :since: a case that was over before it is left alone.
SELECT c.case_id, c.state, COUNT(*) AS orders,
    COUNT(CASE WHEN EXISTS (
        SELECT 1 FROM cj.reconciliation AS r WHERE {{ same_order("r", "o") }} AND r.updated_at >= o.updated_at AND r.status = 'matched'
    ) AND NOT EXISTS (
        SELECT 1 FROM cj.reconciliation AS r
        WHERE {{ same_order("r", "o") }} AND r.updated_at >= o.updated_at AND r.status IN ('awaiting', 'late', 'mismatched', 'missing')
    ) THEN 1 END) AS right_now,
    COUNT(CASE WHEN EXISTS (
        SELECT 1 FROM cj.reconciliation AS r WHERE {{ same_order("r", "o") }} AND r.updated_at = o.updated_at AND r.status IN ('mismatched', 'missing')
    ) THEN 1 END) AS broken
FROM cj.cases AS c
INNER JOIN cj.case_orders AS o ON o.case_id = c.case_id
WHERE c.state IN ('filed', 'answered')
   OR (c.state = 'closed' AND c.closes_at >= :since)
   OR (c.state = 'settled' AND c.settled_at >= :since)
GROUP BY c.case_id, c.state
ORDER BY c.case_id
