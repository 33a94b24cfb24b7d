{% from "fragments.sql" import same_order %}
{% from "report_fragments.sql" import columns %}
-- Of the order states that a report is about (sent live by its runs and not refused) those that have no verdict, or whose verdict is on a later run that is
-- none of them: gathered once. The others are found by their run.
INSERT INTO cj.report_elsewhere ({{ columns() }})
SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at, {{ columns("r.").split(", ")[4:] | join(", ") }}
FROM (
    SELECT DISTINCT t.enterprise_id, t.action_tracker_id, t.order_id, t.updated_at
    FROM cj.submissions AS t
    WHERE t.run_id IN (:runs) AND t.mode = 'live' AND t.outcome IN ('accepted', 'unknown')
      AND NOT EXISTS (
          SELECT 1 FROM cj.reconciliation AS v WHERE v.run_id IN (:runs) AND {{ same_order("v", "t") }} AND v.updated_at = t.updated_at
      )
) AS s
LEFT JOIN cj.reconciliation AS r
    ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at
