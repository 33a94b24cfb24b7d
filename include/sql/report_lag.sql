{% from "fragments.sql" import same_order %}
-- How long CJ took, in bins of five minutes from submission to posting; all above 48 hours share the last bin (576).
WITH sent AS (
    SELECT DISTINCT enterprise_id, action_tracker_id, order_id, updated_at
    FROM cj.submissions
    WHERE run_id IN (:runs) AND mode = 'live' AND outcome IN ('accepted', 'unknown')
),
lags AS (
    SELECT CAST(extract(EPOCH FROM r.posted_at) - extract(EPOCH FROM r.submitted_at) AS double precision) AS seconds
    FROM sent AS s
    INNER JOIN cj.reconciliation AS r
        ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at
    WHERE r.posted_at >= r.submitted_at
)
SELECT CAST(floor(least(seconds, 172800) / 300) AS bigint) AS bin, count(*) AS orders
FROM lags
GROUP BY CAST(floor(least(seconds, 172800) / 300) AS bigint)
ORDER BY 1
