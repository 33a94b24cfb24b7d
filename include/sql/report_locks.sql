{% from "report_fragments.sql" import states %}
-- Breaks and what they put at risk, by how long CJ still takes a correction.
WITH breaks AS (
    SELECT
        r.advertiser_id, r.commission_at_risk,
        CASE
            WHEN r.locking_date <= :checked_at OR r.reason IN ('locked', 'closed') THEN 'locked'
            WHEN r.locking_date IS NULL THEN 'no date'
            WHEN r.locking_date <= :in_two_days THEN '0-2'
            WHEN r.locking_date <= :in_a_week THEN '3-7'
            WHEN r.locking_date <= :in_two_weeks THEN '8-14'
            WHEN r.locking_date <= :in_thirty_days THEN '15-30'
            ELSE '> 30'
        END AS bucket
    FROM {{ states() }} AS r
    WHERE r.status IN ('mismatched', 'missing')
)
SELECT bucket, advertiser_id, count(*) AS orders, sum(commission_at_risk) AS at_risk
FROM breaks
GROUP BY bucket, advertiser_id
ORDER BY bucket, advertiser_id
