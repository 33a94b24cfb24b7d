{% from "fragments.sql" import is_of_an_order, paid_on %}
-- What is open at CJ of one account, by the day its orders were placed: how many orders still hold something, what they hold of the sales that commission is
-- paid on, and what they were placed for. Bound to :advertiser_id, :sale_amount_basis and :process_by (what locks before it is not open any more).
-- orders_now and orders_before: those placed from :interval_start to :interval_end, and from :day_before to :interval_start.
WITH records AS (
    SELECT c.action_tracker_id, c.order_id, c.event_date, c.original,
        {{ paid_on("COALESCE(c.sale_amount, 0)", "COALESCE(c.order_discount, 0)", ":sale_amount_basis") }} AS paid_on
    FROM cj.commissions AS c
    WHERE c.action_status IN ('new', 'extended') AND c.advertiser_id = :advertiser_id AND c.order_id IS NOT NULL AND c.order_id <> ''
      AND (c.locking_date IS NULL OR c.locking_date > :process_by) AND {{ is_of_an_order("c") }}
),

orders AS (
    SELECT action_tracker_id, order_id, MIN(event_date) AS placed_at, SUM(paid_on) AS held, SUM(CASE WHEN original THEN paid_on ELSE 0 END) AS sold
    FROM records
    GROUP BY action_tracker_id, order_id
)

SELECT DATE_TRUNC('day', placed_at) AS placed_on, COUNT(*) AS orders, CAST(SUM(held) AS decimal(38, 10)) AS held, CAST(SUM(sold) AS decimal(38, 10)) AS sold,
    CAST(SUM(CASE WHEN placed_at >= :interval_start AND placed_at < :interval_end THEN 1 ELSE 0 END) AS bigint) AS orders_now,
    CAST(SUM(CASE WHEN placed_at >= :day_before AND placed_at < :interval_start THEN 1 ELSE 0 END) AS bigint) AS orders_before
FROM orders
WHERE held > 0
GROUP BY DATE_TRUNC('day', placed_at)
