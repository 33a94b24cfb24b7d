-- A reconciliation by the id of its run.
SELECT r.reconciliation_run_id, r.checked_at, r.orders, r.awaiting, r.late, r.matched, r.mismatched, r.missing, r.superseded, r.commission_at_risk, r.report
FROM cj.reconciliation_runs AS r
WHERE r.reconciliation_run_id = :run
ORDER BY r.checked_at DESC
LIMIT 1
