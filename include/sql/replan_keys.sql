{% from "fragments.sql" import same_order %}
-- Orders whose last word was not the end of the matter. Bound to :max_attempts.
--   * sent, and it never posted for no known reason, or as a duplicate of an order CJ turned out to hold (it goes as a restatement then), or
--     posted otherwise than sent: again, at most :max_attempts times
--   * refused in live mode after Test Mode had let it pass: likewise
--   * the outcome was unknown, and Commission Detail has settled that it did not post
--   * skipped because an earlier change was on its way, or because another run had taken it over: until a later plan has said something else, or
--     a newer state was sent. The answer of the change it waited for may itself be received after the skip was written, and is not that
--   * unchanged, and another state that had been given up, or was late, has posted since: CJ holds that one now
--   * CJ did not know it, or it was never sent, and CJ has posted it since: the pixel reports later than the night plans
--   * created, and to be accepted: a create cannot say so, and an open-ended order is paid only once it is
INSERT INTO cj.replan_keys (enterprise_id, action_tracker_id, order_id, updated_at)
SELECT DISTINCT k.enterprise_id, k.action_tracker_id, k.order_id, k.updated_at
FROM (
    SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at
    FROM cj.reconciliation AS r
    WHERE r.attempts < :max_attempts
      AND ((r.status = 'missing' AND r.reason IN ('unknown', 'duplicate')) OR r.status = 'mismatched')
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE {{ same_order("n", "r") }}
            AND n.mode = 'live' AND n.submitted_at > r.submitted_at
      )
    UNION ALL
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at
    FROM cj.submissions AS s
    WHERE s.mode = 'live' AND s.attempt < :max_attempts
      AND (s.outcome = 'rejected' OR (s.outcome = 'unknown' AND s.settled_at IS NOT NULL))
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE {{ same_order("n", "s") }}
            AND n.mode = 'live' AND n.submitted_at > s.submitted_at
      )
    UNION ALL
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at
    FROM (
        SELECT
            l.enterprise_id, l.action_tracker_id, l.order_id, l.updated_at, l.word, l.said_at,
            ROW_NUMBER() OVER (
                PARTITION BY l.enterprise_id, l.action_tracker_id, l.order_id ORDER BY l.said_at DESC, l.weight
            ) AS newest
        FROM (
            SELECT enterprise_id, action_tracker_id, order_id, updated_at, reason AS word, skipped_at AS said_at, 1 AS weight FROM cj.skipped
            UNION ALL
            SELECT enterprise_id, action_tracker_id, order_id, updated_at, stage AS word, quarantined_at AS said_at, 0 AS weight FROM cj.quarantine
        ) AS l
        WHERE l.order_id IN (SELECT order_id FROM cj.skipped WHERE reason IN ('waiting', 'superseded'))
    ) AS w
    WHERE w.newest = 1 AND w.word IN ('waiting', 'superseded')
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE {{ same_order("n", "w") }} AND n.mode = 'live'
            AND (n.updated_at > w.updated_at OR (w.word = 'superseded' AND n.updated_at = w.updated_at AND n.submitted_at >= w.said_at))
      )
    UNION ALL
    SELECT u.enterprise_id, u.action_tracker_id, u.order_id, u.updated_at
    FROM (
        SELECT o.enterprise_id, o.action_tracker_id, o.order_id, o.updated_at, o.said_at AS since
        FROM (
            SELECT enterprise_id, action_tracker_id, order_id, updated_at, skipped_at AS said_at
            FROM cj.skipped WHERE reason IN ('not_in_cj', 'never_sent')
            UNION ALL
            SELECT enterprise_id, action_tracker_id, order_id, updated_at, quarantined_at AS said_at
            FROM cj.quarantine WHERE reason IN ('not_in_cj', 'never_sent')
        ) AS o
        -- Counted from what was said, not from now: nights may be missed. And a week before it, since a record may show up after the day it is of.
        WHERE EXISTS (
            SELECT 1 FROM cj.commissions AS c
            WHERE c.action_tracker_id = o.action_tracker_id AND c.order_id = o.order_id AND c.original
              AND c.posting_date >= o.said_at - INTERVAL '7' DAY
          )
        UNION ALL
        SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at, r.posted_at AS since
        FROM cj.reconciliation AS r
        INNER JOIN cj.skipped AS w
            ON {{ same_order("w", "r") }}
            AND w.updated_at <> r.updated_at AND w.skipped_at > r.submitted_at AND w.skipped_at < r.posted_at
        WHERE r.status = 'matched' AND w.reason = 'unchanged'
          AND NOT EXISTS (
              SELECT 1 FROM cj.submissions AS n
              WHERE {{ same_order("n", "w") }}
                AND n.mode = 'live' AND n.submitted_at > r.submitted_at
          )
    ) AS u
    -- And no plan has said another word since.
    WHERE NOT EXISTS (
          SELECT 1 FROM cj.skipped AS n
          WHERE {{ same_order("n", "u") }}
            AND n.skipped_at > u.since
      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.quarantine AS n
          WHERE {{ same_order("n", "u") }}
            AND n.quarantined_at > u.since
      )
    UNION ALL
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at
    FROM cj.submissions AS s
    INNER JOIN cj.reconciliation AS r
        ON {{ same_order("r", "s") }}
        AND r.updated_at = s.updated_at AND r.submitted_at = s.submitted_at
    WHERE s.mode = 'live' AND s.operation = 'create' AND s.status = 'Accepted' AND r.status = 'matched'
      AND EXISTS (
          SELECT 1 FROM cj.commissions AS c
          WHERE c.action_tracker_id = s.action_tracker_id AND c.order_id = s.order_id AND c.locking_method = 'OPEN_ENDED'
            AND c.validation_status = 'PENDING'
      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.commissions AS c
          WHERE c.action_tracker_id = s.action_tracker_id AND c.order_id = s.order_id AND c.validation_status <> 'PENDING'
      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.submissions AS n
          WHERE {{ same_order("n", "s") }}
            AND n.mode = 'live' AND n.submitted_at > s.submitted_at
      )
) AS k
