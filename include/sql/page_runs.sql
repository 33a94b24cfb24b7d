-- Nights, newest first, each by its newest plan; what comes before a page is passed over by the number of its last plan.
SELECT p.run_id, p.plan_number, p.planned_at, p.interval_start, p.interval_end, p.figures
FROM cj.plans AS p
WHERE NOT EXISTS (SELECT 1 FROM cj.plans AS n WHERE n.run_id = p.run_id AND n.plan_number > p.plan_number)
{% if "after" in asked %}
  AND p.plan_number < :after_plan
{% endif %}
{% if "run" in asked %}
  AND p.run_id = :run
{% endif %}
ORDER BY p.plan_number DESC
LIMIT :rows
