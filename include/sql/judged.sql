{% from "fragments.sql" import same_order %}
-- What was judged in this round, and that of which nothing sent is left, waits for it no longer. One after the other: of the second there is hardly ever
-- anything to ask, and DuckDB would go through all that was sent to ask it of the first as well.
DELETE FROM cj.unjudged
WHERE EXISTS (SELECT 1 FROM cj.open_orders AS o WHERE {{ same_order("o", "cj.unjudged") }});

DELETE FROM cj.unjudged
WHERE NOT EXISTS (SELECT 1 FROM cj.submissions AS s WHERE {{ same_order("s", "cj.unjudged") }})
