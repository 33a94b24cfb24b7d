{% from "fragments.sql" import same_order %}
-- What a pre-lock review found of :enterprise_id is left for a later plan: it stays in cj.replan_news, and what else
-- waits of it is found again from its last word.
DELETE FROM cj.replan_keys
WHERE enterprise_id = :enterprise_id
  AND EXISTS (SELECT 1 FROM cj.replan_news AS n WHERE n.found_after IS NOT NULL AND {{ same_order("n", "cj.replan_keys") }})
