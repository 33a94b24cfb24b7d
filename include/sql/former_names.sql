-- An order whose newest live submission carries the name that its state had before spellings of one state were one (former_hash) keeps that name in
-- this plan: it is the very state that was sent, and an upgrade of the package is no change of an order. What is sent from here on has the new name.
UPDATE cj.plan_input SET payload_hash = former_hash
WHERE run_id = :run_id AND former_hash IS NOT NULL AND EXISTS (
    SELECT 1 FROM cj.submissions AS s
    WHERE s.enterprise_id = cj.plan_input.enterprise_id AND s.action_tracker_id = cj.plan_input.action_tracker_id
      AND s.order_id = cj.plan_input.order_id AND s.mode = 'live' AND s.payload_hash = cj.plan_input.former_hash
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE n.enterprise_id = s.enterprise_id AND n.action_tracker_id = s.action_tracker_id AND n.order_id = s.order_id
            AND n.mode = 'live' AND n.plan_number > s.plan_number
      )
)
