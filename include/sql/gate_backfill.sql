{% from "fragments.sql" import is_about, was_given_up %}
-- What the runs of a backfill came to before this one, since :since, and since a person last let a plan of one of them go. Of a plan that nobody let go nothing
-- counts; what an earlier plan of a run had sent does. Bound to :enterprise_id, :run_id and :since.
WITH last_asked AS (
    SELECT n.run_id, n.plan_number, a.answer
    FROM cj.nights AS n
    INNER JOIN cj.approvals AS a ON {{ is_about("a", "n") }}
    WHERE n.enterprise_id = :enterprise_id AND n.backfill AND n.planned_at >= :since
      AND NOT EXISTS (SELECT 1 FROM cj.approvals AS b WHERE {{ is_about("b", "n") }} AND b.question > a.question)
)

SELECT CAST(COALESCE(SUM(n.touched), 0) AS bigint) AS touched, CAST(COALESCE(SUM(n.taken_back), 0) AS decimal(38, 10)) AS taken_back,
    COUNT(DISTINCT n.run_id) AS runs
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND n.backfill AND n.planned_at >= :since
  AND (
      NOT EXISTS (
          SELECT 1 FROM last_asked AS l
          WHERE l.run_id = n.run_id AND l.plan_number = n.plan_number AND l.answer IN ('rejected', 'unanswered', 'outdated')
      )
      OR {{ was_given_up("n") }}
  )
  AND n.plan_number > COALESCE((SELECT MAX(l.plan_number) FROM last_asked AS l WHERE l.answer = 'approved'), 0)
