{% from "fragments.sql" import same_order, is_missing %}
-- Orders that were skipped or held back, and of which a record was read, could not be kept, or had its lock date moved after :heard_until, the last reading
-- that an earlier plan collected by (-1: none did); or that were older than what was read of CJ's records, where those were read from another day since.
-- Whether it is news to their last word, replan_keys.sql says: here is only what to ask it about.
INSERT INTO cj.replan_news (enterprise_id, action_tracker_id, order_id)
SELECT f.enterprise_id, f.action_tracker_id, f.order_id
FROM (
{% for words, of_these in (('skipped', "w.reason IN ('not_in_cj', 'never_sent', 'unchanged')"), ('quarantine', "w.stage = 'eligibility'")) %}
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id
    FROM cj.commissions AS c
    INNER JOIN cj.{{ words }} AS w USING (action_tracker_id, order_id)
    WHERE {{ of_these }} AND (c.reading > :heard_until OR c.reading IS NULL AND :heard_until < 0)
    UNION
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id
    FROM cj.commissions AS c
    INNER JOIN cj.{{ words }} AS w USING (action_tracker_id, order_id)
    WHERE {{ of_these }} AND c.moved_reading > :heard_until
    UNION
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id
    FROM cj.ledger_set_aside AS d
    INNER JOIN cj.{{ words }} AS w ON w.order_id = d.order_id AND w.action_tracker_id = COALESCE(d.action_tracker_id, w.action_tracker_id)
    WHERE {{ of_these }} AND d.reading > :heard_until AND {{ is_missing("d") }}
    UNION
{% endfor %}
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id
    FROM cj.quarantine AS w
    WHERE w.rule = 'older_than_the_ledger' AND w.stage = 'eligibility'
      AND EXISTS (
          SELECT 1 FROM cj.ledger_reads AS l
          WHERE l.kind = 'first' AND (l.reading > :heard_until OR l.reading IS NULL AND :heard_until < 0)
      )
) AS f
WHERE NOT EXISTS (SELECT 1 FROM cj.replan_news AS n WHERE {{ same_order("n", "f") }})
