-- What the runs of a backfill came to before this one, since :since, and since a person last let one of them go. Of those that nobody let go, what an earlier plan
-- of theirs had sent counts, and nothing else. Bound to :enterprise_id, :run_id and :since.
WITH last_asked AS (
    SELECT a.run_id, a.answer
    FROM cj.approvals AS a
    WHERE a.run_id IN (SELECT n.run_id FROM cj.nights AS n WHERE n.enterprise_id = :enterprise_id AND n.backfill AND n.planned_at >= :since)
      AND NOT EXISTS (SELECT 1 FROM cj.approvals AS b WHERE b.run_id = a.run_id AND b.question > a.question)
)

SELECT CAST(COALESCE(SUM(n.touched), 0) AS bigint) AS touched, CAST(COALESCE(SUM(n.taken_back), 0) AS decimal(38, 10)) AS taken_back,
    COUNT(DISTINCT n.run_id) AS runs
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND n.backfill AND n.planned_at >= :since
  AND (
      NOT EXISTS (SELECT 1 FROM last_asked AS l WHERE l.run_id = n.run_id AND l.answer IN ('rejected', 'unanswered', 'outdated'))
      OR EXISTS (SELECT 1 FROM cj.plans AS p WHERE p.run_id = n.run_id AND p.plan_number > n.plan_number)
  )
  AND n.plan_number > COALESCE(
      (
          SELECT MAX(p.plan_number)
          FROM cj.nights AS p
          INNER JOIN last_asked AS l ON l.run_id = p.run_id
          WHERE p.enterprise_id = :enterprise_id AND p.backfill AND p.planned_at >= :since AND l.answer = 'approved'
      ), 0
  )
