-- The nights before this run's, newest first, that changed anything of an account and were let go: what is usual. Bound to :enterprise_id, :run_id and :nights.
SELECT n.touched
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND NOT n.backfill AND n.touched > 0
  AND (n.asked_by IS NULL OR EXISTS (SELECT 1 FROM cj.approvals AS a WHERE a.run_id = n.run_id AND a.answer = 'approved'))
ORDER BY n.plan_number DESC
LIMIT :nights
