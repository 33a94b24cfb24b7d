-- The newest reconciliation up to :before of which the figures were kept.
SELECT r.reconciliation_run_id, r.checked_at, r.figures, r.report
FROM cj.reconciliation_runs AS r
WHERE r.checked_at = (SELECT MAX(a.checked_at) FROM cj.reconciliation_runs AS a WHERE a.figures IS NOT NULL AND a.checked_at <= :before)
  AND r.figures IS NOT NULL
ORDER BY r.reconciliation_run_id DESC
LIMIT 1
