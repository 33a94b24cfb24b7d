-- Which runs a report is about when nobody says: those a reconciliation has just looked at, those with anything open,
-- and the newest run, even if all it did was hold back or skip.
SELECT run_id FROM cj.reconciliation
WHERE checked_at >= :checked_at OR status IN ('awaiting', 'late', 'mismatched', 'missing')
UNION
SELECT run_id FROM cj.submissions WHERE submitted_at = (SELECT max(submitted_at) FROM cj.submissions)
UNION
SELECT run_id FROM cj.quarantine WHERE quarantined_at = (SELECT max(quarantined_at) FROM cj.quarantine)
UNION
SELECT run_id FROM cj.skipped WHERE skipped_at = (SELECT max(skipped_at) FROM cj.skipped)
ORDER BY run_id
