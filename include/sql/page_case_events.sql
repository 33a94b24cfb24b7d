-- What happened to one case, in its order.
SELECT e.event, e.act, e.happened_at, e.said_by, e.case_number, e.note
FROM cj.case_events AS e
WHERE e.case_id = :case
ORDER BY e.event
