{% from "fragments.sql" import are_alike %}
-- Of the records in cj.asked_commissions, those that CJ did not show though it showed the like of them (cj.incoming_commissions): each is the other one
-- now, under a new id. News of :reading. What was shown and could not be read is not gone.
UPDATE cj.commissions SET gone_reading = :reading, moved_reading = :reading
WHERE gone_reading IS NULL
  AND commission_id IN (
      SELECT a.commission_id FROM cj.asked_commissions AS a
      WHERE a.commission_id NOT IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
        AND NOT EXISTS (SELECT 1 FROM cj.ledger_set_aside AS s WHERE s.commission_id = a.commission_id)
  )
  AND EXISTS (
      SELECT 1 FROM cj.incoming_commissions AS o
      WHERE o.advertiser_id = cj.commissions.advertiser_id AND o.action_tracker_id = cj.commissions.action_tracker_id
        AND o.order_id = cj.commissions.order_id AND {{ are_alike("o", "cj.commissions") }}
  );

-- What it is now was read when it was read first: no news to what was sent in between.
UPDATE cj.commissions SET reading = (
    SELECT MIN(COALESCE(g.reading, 0)) FROM cj.commissions AS g
    WHERE g.gone_reading = :reading AND g.advertiser_id = cj.commissions.advertiser_id AND g.action_tracker_id = cj.commissions.action_tracker_id
      AND g.order_id = cj.commissions.order_id AND {{ are_alike("g", "cj.commissions") }}
)
WHERE commission_id IN (SELECT i.commission_id FROM cj.incoming_commissions AS i)
  AND EXISTS (
      SELECT 1 FROM cj.commissions AS g
      WHERE g.gone_reading = :reading AND g.advertiser_id = cj.commissions.advertiser_id AND g.action_tracker_id = cj.commissions.action_tracker_id
        AND g.order_id = cj.commissions.order_id AND {{ are_alike("g", "cj.commissions") }} AND COALESCE(g.reading, 0) < cj.commissions.reading
  )
