{% from "fragments.sql" import same_order %}
-- The orders to look at: those with a live submission that has no verdict yet or an open one, or whose newest submission came after its verdict,
-- or one whose unknown outcome was written down after its order was settled. And the overtaken ones: matched, sent while an earlier state was still
-- on its way, and something has posted since. CJ worked the earlier state off last, and holds it now.
INSERT INTO cj.open_orders (enterprise_id, action_tracker_id, order_id, overtaken)
SELECT k.enterprise_id, k.action_tracker_id, k.order_id, MAX(k.overtaken)
FROM (
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, 0 AS overtaken
    FROM cj.submissions AS s
    INNER JOIN cj.accounts_now AS a ON a.advertiser_id = s.advertiser_id
    LEFT JOIN cj.reconciliation AS r
        ON {{ same_order("r", "s") }}
        AND r.updated_at = s.updated_at
    WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
      AND (r.status IS NULL OR r.status IN ('awaiting', 'late', 'mismatched', 'missing') OR (r.status IN ('matched', 'superseded') AND r.submitted_at < s.submitted_at)
          OR (s.outcome = 'unknown' AND s.settled_at IS NULL))
    UNION ALL
    SELECT r.enterprise_id, r.action_tracker_id, r.order_id, 1 AS overtaken
    FROM cj.reconciliation AS e
    INNER JOIN cj.reconciliation AS r
        ON {{ same_order("r", "e") }}
        AND r.submitted_at > e.submitted_at
    INNER JOIN cj.accounts_now AS a ON a.advertiser_id = r.advertiser_id
    WHERE e.status = 'superseded' AND r.status = 'matched'
      AND EXISTS (
          SELECT 1 FROM cj.commissions AS c
          WHERE c.advertiser_id = r.advertiser_id AND c.action_tracker_id = r.action_tracker_id AND c.order_id = r.order_id
            AND c.posting_date > r.posted_at
      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE {{ same_order("n", "r") }}
            AND n.mode = 'live' AND n.submitted_at > r.submitted_at
      )
) AS k
GROUP BY k.enterprise_id, k.action_tracker_id, k.order_id
