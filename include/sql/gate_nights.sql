-- The nights before this run's, newest first, that changed anything of an account and were let go: what is usual. A person let go the night whose last question
-- is approved; of a night that was sent in parts the parts are one. Bound to :enterprise_id, :run_id and :nights.
SELECT CAST(SUM(n.touched) AS bigint) AS touched
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND NOT n.backfill AND n.touched > 0
  AND NOT EXISTS (
      SELECT 1 FROM cj.approvals AS a WHERE a.run_id = n.run_id AND COALESCE(a.answer, '') <> 'approved'
        AND NOT EXISTS (SELECT 1 FROM cj.approvals AS b WHERE b.run_id = a.run_id AND b.question > a.question)
  )
  AND (n.asked_by IS NULL OR EXISTS (SELECT 1 FROM cj.approvals AS a WHERE a.run_id = n.run_id))
GROUP BY n.run_id
ORDER BY MAX(n.plan_number) DESC
LIMIT :nights
