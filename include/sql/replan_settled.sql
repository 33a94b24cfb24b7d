{% from "fragments.sql" import same_order %}
-- What was collected and is no news any more: its order has a newer word, or was sent since.
DELETE FROM cj.replan_news
WHERE NOT EXISTS (SELECT 1 FROM cj.replan_keys AS k WHERE {{ same_order("k", "cj.replan_news") }})
