-- The reconciliation the report belongs to.
SELECT reconciliation_run_id, checked_at, other_basis_matches_all
FROM cj.reconciliation_runs
WHERE checked_at <= :checked_at
ORDER BY checked_at DESC, reconciliation_run_id DESC
LIMIT 1
