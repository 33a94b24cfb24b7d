{% from "fragments.sql" import are_alike %}
-- Both of two records of :advertiser_id that say the same of one order, where one of them came since reading :since, or the order is not held as it was
-- sent after :cared_for_since: CJ is asked whether it shows both still.
WITH alike AS (
    SELECT n.commission_id AS one, n.posting_date AS one_posted, c.commission_id AS other, c.posting_date AS other_posted
    FROM cj.commissions AS n
    INNER JOIN cj.commissions AS c USING (advertiser_id, action_tracker_id, order_id)
    WHERE n.advertiser_id = :advertiser_id AND n.reading >= :since AND n.gone_reading IS NULL AND c.gone_reading IS NULL AND {{ are_alike("n", "c") }}
    UNION
    SELECT n.commission_id, n.posting_date, c.commission_id, c.posting_date
    FROM cj.reconciliation AS r
    INNER JOIN cj.commissions AS n USING (advertiser_id, action_tracker_id, order_id)
    INNER JOIN cj.commissions AS c USING (advertiser_id, action_tracker_id, order_id)
    -- One that is gone as well: it may show again.
    WHERE r.advertiser_id = :advertiser_id AND r.status = 'mismatched' AND r.submitted_at > :cared_for_since AND {{ are_alike("n", "c") }}
)

SELECT one AS commission_id, one_posted AS posting_date
FROM alike
UNION
SELECT other AS commission_id, other_posted AS posting_date
FROM alike
