-- The orders of which something was sent, or taken back, since they were judged last: what a round of verdicts looks at besides what is open and what is
-- news. Rows go as their orders are judged. An order may stand here more than once.
CREATE TABLE IF NOT EXISTS cj.unjudged (enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL);

INSERT INTO cj.unjudged (enterprise_id, action_tracker_id, order_id)
SELECT DISTINCT s.enterprise_id, s.action_tracker_id, s.order_id
FROM cj.submissions AS s
LEFT JOIN cj.reconciliation AS r
    ON r.enterprise_id = s.enterprise_id AND r.action_tracker_id = s.action_tracker_id AND r.order_id = s.order_id AND r.updated_at = s.updated_at
WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown') AND (r.status IS NULL OR r.plan_number < s.plan_number)
