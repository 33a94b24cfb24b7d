-- Which runs a report is about when nobody says: of those since :since the ones a reconciliation has just looked at and the ones with anything open;
-- and the newest run of which nothing is on its way, even if all it did was hold back or skip.
SELECT run_id FROM cj.reconciliation
WHERE checked_at >= :checked_at AND submitted_at >= :since
UNION
SELECT run_id FROM cj.reconciliation
WHERE status IN ('awaiting', 'late', 'mismatched', 'missing') AND submitted_at >= :since
UNION
SELECT run_id FROM cj.plans
WHERE plan_number = (
    SELECT max(p.plan_number) FROM cj.plans AS p
    WHERE NOT EXISTS (SELECT 1 FROM cj.planned AS w WHERE w.run_id = p.run_id)
)
ORDER BY run_id
