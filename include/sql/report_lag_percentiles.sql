{% from "fragments.sql" import same_order %}
-- The same lags as report_lag, exact, in seconds.
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
SELECT
    count(*) AS orders,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99,
    max(seconds) AS longest
FROM lags
