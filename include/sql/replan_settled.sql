{% from "fragments.sql" import same_order %}
-- What was collected and is no news any more: its order has a newer word, or was sent since. What a review found stays while a plan of it waits to go: that run
-- may be cleared, and then nothing else says that it was found.
DELETE FROM cj.replan_news
WHERE NOT EXISTS (SELECT 1 FROM cj.replan_keys AS k WHERE {{ same_order("k", "cj.replan_news") }})
  AND (found_after IS NULL OR NOT EXISTS (SELECT 1 FROM cj.planned AS p WHERE {{ same_order("p", "cj.replan_news") }}))
