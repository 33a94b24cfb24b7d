{% from "fragments.sql" import same_order %}
-- What this plan has picked already is not picked again.
DELETE FROM cj.replan_keys
WHERE EXISTS (SELECT 1 FROM cj.plan_input AS i WHERE {{ same_order("i", "cj.replan_keys") }})
