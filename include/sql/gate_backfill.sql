-- What the runs of a backfill came to before this one, since :since, and since a person last let one of them go. Those that nobody let go count for nothing.
-- Bound to :enterprise_id, :run_id and :since.
SELECT CAST(COALESCE(SUM(n.touched), 0) AS bigint) AS touched, CAST(COALESCE(SUM(n.taken_back), 0) AS decimal(38, 10)) AS taken_back, COUNT(*) AS runs
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND n.backfill AND n.planned_at >= :since
  AND NOT EXISTS (
      SELECT 1 FROM cj.approvals AS a WHERE a.run_id = n.run_id AND a.answer IN ('rejected', 'unanswered', 'outdated')
        AND NOT EXISTS (SELECT 1 FROM cj.approvals AS b WHERE b.run_id = a.run_id AND b.question > a.question)
  )
  AND n.plan_number > COALESCE(
      (
          SELECT MAX(p.plan_number)
          FROM cj.nights AS p
          INNER JOIN cj.approvals AS a ON a.run_id = p.run_id
          WHERE p.enterprise_id = :enterprise_id AND p.backfill AND p.planned_at >= :since AND a.answer = 'approved'
      ), 0
  )
