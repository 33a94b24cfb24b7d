{% from "fragments.sql" import are_alike %}
-- Both of two records of :advertiser_id that say the same of one order, where one of them came since reading :since, or the order is not held as it was
-- sent after :cared_for_since: CJ is asked whether it shows both still.
WITH cared_for AS (
    SELECT DISTINCT advertiser_id, action_tracker_id, order_id
    FROM cj.reconciliation
    WHERE advertiser_id = :advertiser_id AND status = 'mismatched' AND submitted_at > :cared_for_since
),

-- Few, and joined with themselves: not every record there is with every other.
of_breaks AS (
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id, c.commission_id, c.posting_date, c.action_type, c.sale_amount, c.items_mark,
        c.order_discount, c.coupon
    FROM cj.commissions AS c
    INNER JOIN cared_for USING (advertiser_id, action_tracker_id, order_id)
),

alike AS (
    SELECT n.commission_id AS one, n.posting_date AS one_posted, c.commission_id AS other, c.posting_date AS other_posted
    FROM cj.commissions AS n
    INNER JOIN cj.commissions AS c USING (advertiser_id, action_tracker_id, order_id)
    WHERE n.advertiser_id = :advertiser_id AND n.reading >= :since AND n.gone_reading IS NULL AND c.gone_reading IS NULL AND {{ are_alike("n", "c") }}
    UNION
    -- One that is gone as well: it may show again.
    SELECT n.commission_id, n.posting_date, c.commission_id, c.posting_date
    FROM of_breaks AS n
    INNER JOIN of_breaks AS c USING (advertiser_id, action_tracker_id, order_id)
    WHERE {{ are_alike("n", "c") }}
)

SELECT one AS commission_id, one_posted AS posting_date
FROM alike
UNION
SELECT other AS commission_id, other_posted AS posting_date
FROM alike
