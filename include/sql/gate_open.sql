{% from "fragments.sql" import paid_on %}
-- What is open at CJ of one account (cj.held_open), by the day its orders were placed: how many orders still hold something, what they hold of the sales that
-- commission is paid on, and what they were placed for. Bound to :advertiser_id, :sale_amount_basis and :process_by (what locks before it is not open any more).
-- orders_now and orders_before: those placed from :interval_start to :interval_end, and from :day_before to :interval_start.
WITH orders AS (
    SELECT o.placed_at, {{ paid_on("o.sale_amount", "o.order_discount", ":sale_amount_basis") }} AS held,
        {{ paid_on("o.sold_amount", "o.sold_discount", ":sale_amount_basis") }} AS sold
    FROM cj.held_open AS o
    WHERE o.advertiser_id = :advertiser_id AND (o.locks_at IS NULL OR o.locks_at > :process_by)
)

SELECT DATE_TRUNC('day', placed_at) AS placed_on, COUNT(*) AS orders, CAST(SUM(held) AS decimal(38, 10)) AS held, CAST(SUM(sold) AS decimal(38, 10)) AS sold,
    CAST(SUM(CASE WHEN placed_at >= :interval_start AND placed_at < :interval_end THEN 1 ELSE 0 END) AS bigint) AS orders_now,
    CAST(SUM(CASE WHEN placed_at >= :day_before AND placed_at < :interval_start THEN 1 ELSE 0 END) AS bigint) AS orders_before
FROM orders
WHERE held > 0
GROUP BY DATE_TRUNC('day', placed_at)
