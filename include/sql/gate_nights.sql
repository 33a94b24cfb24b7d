{% from "fragments.sql" import is_about, was_given_up %}
-- The nights before this run's, newest first, that changed anything of an account and went: what is usual. Of a run that was planned again what its earlier plans
-- had sent went, and its newest plan where that plan was let go; of a night that was sent in parts the parts are one. Bound to :enterprise_id, :run_id and :nights.
SELECT CAST(SUM(n.touched) AS bigint) AS touched
FROM cj.nights AS n
WHERE n.enterprise_id = :enterprise_id AND n.run_id <> :run_id AND NOT n.backfill AND n.touched > 0
  AND (
      {{ was_given_up("n") }}
      OR (
          NOT EXISTS (
              SELECT 1 FROM cj.approvals AS a WHERE {{ is_about("a", "n") }} AND COALESCE(a.answer, '') <> 'approved'
                AND NOT EXISTS (SELECT 1 FROM cj.approvals AS b WHERE {{ is_about("b", "n") }} AND b.question > a.question)
          )
          AND (n.asked_by IS NULL OR EXISTS (SELECT 1 FROM cj.approvals AS a WHERE {{ is_about("a", "n") }}))
      )
  )
GROUP BY n.run_id
ORDER BY MAX(n.plan_number) DESC
LIMIT :nights
