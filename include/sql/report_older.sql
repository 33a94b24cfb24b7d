{% from "fragments.sql" import may_change %}
-- What is still open of the nights before those a report shows (sent before :since, by none of its runs), by verdict. A break whose order locked since was
-- told while it could be mended.
SELECT r.status, r.advertiser_id, count(*) AS orders, sum(r.commission_at_risk) AS at_risk,
    sum(CASE WHEN r.commission_at_risk IS NULL THEN 1 ELSE 0 END) AS unpriced
FROM cj.reconciliation AS r
WHERE {{ may_change("r") }} AND r.submitted_at < :since AND r.run_id NOT IN (:runs)
GROUP BY r.status, r.advertiser_id
ORDER BY r.status, r.advertiser_id
