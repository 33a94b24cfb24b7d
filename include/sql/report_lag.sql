{% from "report_fragments.sql" import states %}
-- How long CJ took: one row without a bin about all lags, exact, in seconds; and the lags in bins of five minutes from submission to posting, where all above
-- 48 hours share the last bin (576). Both of one reading of the verdicts.
WITH lags AS (
    SELECT CAST(extract(EPOCH FROM (r.posted_at - r.submitted_at)) AS double precision) AS seconds
    FROM {{ states() }} AS r
    WHERE r.posted_at >= r.submitted_at
)
SELECT
    CAST(NULL AS bigint) AS bin, count(*) AS orders,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99,
    max(seconds) AS longest
FROM lags
UNION ALL
SELECT CAST(floor(least(seconds, 172800) / 300) AS bigint), count(*), NULL, NULL, NULL, NULL
FROM lags
GROUP BY CAST(floor(least(seconds, 172800) / 300) AS bigint)
ORDER BY 1
