{% from "fragments.sql" import same_order %}
-- How many orders of a run's plan a pre-lock review has found to differ. Bound to :run_id.
SELECT COUNT(*) AS orders
FROM cj.planned AS p
WHERE p.run_id = :run_id AND EXISTS (SELECT 1 FROM cj.replan_news AS n WHERE n.found_after IS NOT NULL AND {{ same_order("n", "p") }})
