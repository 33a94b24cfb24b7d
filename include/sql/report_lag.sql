{% from "report_fragments.sql" import states %}
-- How long CJ took, in bins of five minutes from submission to posting; all above 48 hours share the last bin (576).
WITH lags AS (
    SELECT CAST(extract(EPOCH FROM r.posted_at) - extract(EPOCH FROM r.submitted_at) AS double precision) AS seconds
    FROM {{ states() }} AS r
    WHERE r.posted_at >= r.submitted_at
)
SELECT CAST(floor(least(seconds, 172800) / 300) AS bigint) AS bin, count(*) AS orders
FROM lags
GROUP BY CAST(floor(least(seconds, 172800) / 300) AS bigint)
ORDER BY 1
