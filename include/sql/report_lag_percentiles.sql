{% from "report_fragments.sql" import states %}
-- The same lags as report_lag, exact, in seconds.
WITH lags AS (
    SELECT CAST(extract(EPOCH FROM r.posted_at) - extract(EPOCH FROM r.submitted_at) AS double precision) AS seconds
    FROM {{ states() }} AS r
    WHERE r.posted_at >= r.submitted_at
)
SELECT
    count(*) AS orders,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99,
    max(seconds) AS longest
FROM lags
