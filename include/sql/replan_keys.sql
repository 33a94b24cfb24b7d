{% from "fragments.sql" import same_order, is_missing, pays_something %}
{% macro sent_since(row) -%}
EXISTS (SELECT 1 FROM cj.submissions AS n WHERE {{ same_order("n", row) }} AND n.mode = 'live' AND n.plan_number > {{ row }}.plan_number)
{%- endmacro %}
{% macro over_since(row) -%}
({{ sent_since(row) }} OR EXISTS (
    SELECT 1 FROM cj.quarantine AS q WHERE {{ same_order("q", row) }} AND q.rule IN ('locked', 'closed') AND q.plan_number > {{ row }}.plan_number
))
{%- endmacro %}
{% macro said_since(news) -%}
(
    EXISTS (SELECT 1 FROM cj.submissions AS l WHERE {{ same_order("l", news) }} AND l.mode = 'live' AND l.plan_number > {{ news }}.found_after)
    {% for words in ("skipped", "quarantine", "planned") %}
    OR EXISTS (SELECT 1 FROM cj.{{ words }} AS l WHERE {{ same_order("l", news) }} AND l.plan_number > {{ news }}.found_after)
    {% endfor %}
)
{%- endmacro %}
-- Orders whose last word was not the end of the matter. Bound to :max_attempts. Which word is the last says the number of the plan that said it; of what
-- was skipped or held back only those are asked that wait, or of which replan_news.sql collected news.
--   * sent, and it never posted for no known reason, or as a duplicate of an order CJ turned out to hold (it goes as a restatement then), or CJ holds
--     another state than the one sent: again, at most :max_attempts times
--   * refused in live mode after Test Mode had let it pass: likewise
--   * the outcome was unknown, and Commission Detail has settled that it did not post
--   * skipped because an earlier change was on its way, or because another run had taken it over; held back because it lay ahead of CJ's clock
--   * CJ did not know it, it was never sent, CJ held it just so, or what CJ held was why it was held back; and a record of it has been read since, or
--     could not be kept, or its lock date was moved: CJ holds something else now
--   * held back because it was older than what was read of CJ's records, and they were read from another day since
--   * a pre-lock review found that CJ holds another state, and no plan since has said or sent anything of it
--   * created, and to be accepted: a create cannot say so, and an open-ended order is paid only once it is
-- What was sent is over, too, once a plan found that its order is locked or closed: that is said once, and news of it asks anew, as of all that was held back.
INSERT INTO cj.replan_keys (enterprise_id, action_tracker_id, order_id, updated_at, waits)
WITH asked AS (
    SELECT enterprise_id, action_tracker_id, order_id FROM cj.replan_news
    UNION
    SELECT enterprise_id, action_tracker_id, order_id FROM cj.skipped WHERE reason IN ('waiting', 'superseded')
    UNION
    SELECT enterprise_id, action_tracker_id, order_id FROM cj.quarantine WHERE rule IN ('event_time_in_future', 'updated_at_in_future')
),

words AS (
    SELECT enterprise_id, action_tracker_id, order_id, updated_at,
        -- What is on its way is followed by its verdict, which says whether it is planned again.
        CASE WHEN rule IN ({% for id in followed %}'{{ id }}'{{ ", " if not loop.last }}{% endfor %}) THEN 'on_its_way' ELSE reason END AS word,
        rule, plan_number, 1 AS weight
    FROM asked
    INNER JOIN cj.skipped USING (enterprise_id, action_tracker_id, order_id)
    UNION ALL
    SELECT enterprise_id, action_tracker_id, order_id, updated_at,
        CASE
            -- What lay ahead of CJ's clock comes to lie behind it.
            WHEN rule IN ('event_time_in_future', 'updated_at_in_future') THEN 'waiting'
            WHEN reason IN ('stale_state', 'unknown') THEN reason
            ELSE stage
        END AS word,
        rule, plan_number, 0 AS weight
    FROM asked
    INNER JOIN cj.quarantine USING (enterprise_id, action_tracker_id, order_id)
),

last_words AS (
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at, w.word, w.rule, w.plan_number
    FROM (
        SELECT l.*, ROW_NUMBER() OVER (PARTITION BY l.enterprise_id, l.action_tracker_id, l.order_id ORDER BY l.plan_number DESC, l.weight) AS newest
        FROM words AS l
    ) AS w
    WHERE w.newest = 1 AND w.word IN ('waiting', 'superseded', 'not_in_cj', 'never_sent', 'unchanged', 'eligibility')
      AND NOT {{ sent_since("w") }}
)

SELECT k.enterprise_id, k.action_tracker_id, k.order_id, k.updated_at, MAX(k.waits) = 1 AS waits
FROM (
    SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, 1 AS waits
    FROM cj.reconciliation AS r
    WHERE r.attempts < :max_attempts
      AND ((r.status = 'missing' AND r.reason IN ('unknown', 'duplicate')) OR r.status = 'mismatched')
      AND NOT {{ over_since("r") }}
    UNION ALL
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at, 1 AS waits
    FROM cj.submissions AS s
    WHERE s.mode = 'live' AND s.attempt < :max_attempts
      AND (s.outcome = 'rejected' OR (s.outcome = 'unknown' AND s.settled_at IS NOT NULL))
      AND NOT {{ over_since("s") }}
    UNION ALL
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at, 1 AS waits
    FROM last_words AS w
    WHERE w.word IN ('waiting', 'superseded')
    UNION ALL
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at,
        CASE WHEN w.word = 'eligibility' THEN 1 ELSE 0 END AS waits
    FROM last_words AS w
    LEFT JOIN cj.plans AS p USING (plan_number)
    WHERE w.word IN ('not_in_cj', 'never_sent', 'unchanged', 'eligibility')
      AND (
          EXISTS (
              SELECT 1 FROM cj.commissions AS c
              WHERE c.action_tracker_id = w.action_tracker_id AND c.order_id = w.order_id
                AND (COALESCE(c.reading, 0) > COALESCE(p.reading, -1) OR c.moved_reading > COALESCE(p.reading, -1))
          )
          OR EXISTS (
              SELECT 1 FROM cj.ledger_set_aside AS d
              WHERE d.order_id = w.order_id AND COALESCE(d.action_tracker_id, w.action_tracker_id) = w.action_tracker_id
                AND d.reading > COALESCE(p.reading, -1) AND {{ is_missing("d") }}
          )
      )
    UNION ALL
    SELECT w.enterprise_id, w.action_tracker_id, w.order_id, w.updated_at, 1 AS waits
    FROM last_words AS w
    LEFT JOIN cj.plans AS p USING (plan_number)
    WHERE w.rule = 'older_than_the_ledger' AND w.word = 'eligibility'
      AND EXISTS (SELECT 1 FROM cj.ledger_reads AS l WHERE l.kind = 'first' AND COALESCE(l.reading, 0) > COALESCE(p.reading, -1))
    UNION ALL
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at, 1 AS waits
    FROM cj.submissions AS s
    INNER JOIN cj.reconciliation AS r
        ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at AND r.plan_number = s.plan_number
    WHERE s.mode = 'live' AND s.operation = 'create' AND s.status = 'Accepted' AND r.status = 'matched' AND {{ pays_something("s") }}
      AND EXISTS (
          SELECT 1 FROM cj.commissions AS c
          WHERE c.action_tracker_id = s.action_tracker_id AND c.order_id = s.order_id AND c.locking_method = 'OPEN_ENDED'
            AND c.validation_status = 'PENDING'
      )
      AND NOT EXISTS (
          SELECT 1 FROM cj.commissions AS c
          WHERE c.action_tracker_id = s.action_tracker_id AND c.order_id = s.order_id AND c.validation_status <> 'PENDING'
      )
      AND NOT {{ over_since("s") }}
    UNION ALL
    SELECT f.enterprise_id, f.action_tracker_id, f.order_id, f.updated_at, 1 AS waits
    FROM cj.replan_news AS f
    WHERE f.found_after IS NOT NULL AND NOT {{ said_since("f") }}
) AS k
GROUP BY k.enterprise_id, k.action_tracker_id, k.order_id, k.updated_at
