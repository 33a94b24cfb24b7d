-- The order changes SQL for a MySQL or MariaDB that Airflow's connection `orders` names: docs/orders.md says what is otherwise there.
-- Copy it, and name your copy in the Variable cj_order_changes_sql. It reads the table `order_changes` as the shipped one does.
-- Capitals and accents are the same to most collations: without the CAST, orders that differ in them would be taken for one, and one of them be lost.
SELECT
    enterprise_id, action_tracker_id, order_id, change_type, news = 1 AS was_new, event_time, updated_at, amount, discount, currency, coupon,
    items, status, correction_reason, cj_event, ad_id, promotional_property_id, sid, custom_parameters, vertical_parameters
FROM (
    SELECT
        c.*,
        MAX(CASE WHEN c.change_type = 'new' THEN 1 ELSE 0 END) OVER (
            PARTITION BY c.enterprise_id, c.action_tracker_id, c.order_id, CAST(c.order_id AS BINARY)
        ) AS news,
        ROW_NUMBER() OVER (
            PARTITION BY c.enterprise_id, c.action_tracker_id, c.order_id, CAST(c.order_id AS BINARY)
            ORDER BY
                c.updated_at DESC,
                CASE c.change_type WHEN 'cancelled' THEN 3 WHEN 'restated' THEN 2 WHEN 'new' THEN 1 ELSE 0 END DESC,
                c.amount DESC
        ) AS age
    FROM (
        SELECT o.* FROM order_changes AS o
        WHERE (o.enterprise_id, o.action_tracker_id, o.order_id) IN (
            SELECT t.enterprise_id, t.action_tracker_id, t.order_id FROM order_changes AS t
            WHERE t.updated_at >= :interval_start AND t.updated_at < :interval_end
        )
        UNION ALL
        SELECT n.* FROM order_changes AS n
        WHERE (n.enterprise_id IS NULL OR n.action_tracker_id IS NULL OR n.order_id IS NULL)
            AND n.updated_at >= :interval_start AND n.updated_at < :interval_end
    ) AS c
) AS ranked
WHERE (age = 1 OR enterprise_id IS NULL OR action_tracker_id IS NULL OR order_id IS NULL)
