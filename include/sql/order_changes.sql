-- The orders touched from interval_start (included) to interval_end (excluded), each in its NEWEST state in the warehouse right now.
-- This file is yours: read your own tables, keep the columns and the two parameters. Whatever it returns is what CJ is told.
-- What you have none of may be NULL, or left out where it is was_new, status, correction_reason, attribution (cj_event, ad_id,
-- promotional_property_id, sid) or parameters.
--
-- As shipped it reads the table order_changes, which may hold every change of an order (a log) or one row an order (a snapshot).
-- Over a long log, an index on updated_at and one on order_id keep a night quick.
-- Two changes of one order with the same updated_at: cancelled beats restated beats new, since that is the order they can happen in; after that
-- the columns decide, largest first, so that the same rows always give the same answer. (As text where PostgreSQL has no order for the type: json.)
-- (A subselect, not a WITH: PostgreSQL then knows that the rows come in the order of their key, and need not be sorted again.)
SELECT
    enterprise_id, action_tracker_id, order_id, change_type, news = 1 AS was_new, event_time, updated_at, amount, discount, currency,
    coupon, items, status, correction_reason, cj_event, ad_id, promotional_property_id, sid, custom_parameters, vertical_parameters
FROM (
    SELECT
        c.enterprise_id, c.action_tracker_id, c.order_id, c.change_type, c.event_time, c.updated_at, c.amount, c.discount, c.currency,
        c.coupon, c.items, c.status, c.correction_reason, c.cj_event, c.ad_id, c.promotional_property_id, c.sid,
        c.custom_parameters, c.vertical_parameters,
        MAX(CASE WHEN c.change_type = 'new' THEN 1 ELSE 0 END) OVER (
            PARTITION BY c.enterprise_id, c.action_tracker_id, c.order_id
        ) AS news,
        ROW_NUMBER() OVER (
            PARTITION BY c.enterprise_id, c.action_tracker_id, c.order_id
            ORDER BY
                c.updated_at DESC NULLS LAST,
                CASE c.change_type WHEN 'cancelled' THEN 3 WHEN 'restated' THEN 2 WHEN 'new' THEN 1 ELSE 0 END DESC,
                c.amount DESC NULLS LAST, c.discount DESC NULLS LAST, c.event_time DESC NULLS LAST, c.currency DESC NULLS LAST,
                c.coupon DESC NULLS LAST, CAST(c.items AS text) DESC NULLS LAST, c.status DESC NULLS LAST, c.correction_reason DESC NULLS LAST,
                c.cj_event DESC NULLS LAST, c.ad_id DESC NULLS LAST, c.promotional_property_id DESC NULLS LAST, c.sid DESC NULLS LAST,
                CAST(c.custom_parameters AS text) DESC NULLS LAST, CAST(c.vertical_parameters AS text) DESC NULLS LAST
        ) AS age
    FROM (
        SELECT o.* FROM order_changes AS o
        WHERE EXISTS (
            SELECT 1 FROM order_changes AS t
            WHERE t.enterprise_id = o.enterprise_id AND t.action_tracker_id = o.action_tracker_id AND t.order_id = o.order_id
                AND t.updated_at >= :interval_start AND t.updated_at < :interval_end
        )
        UNION ALL
        -- A row without its key equals nothing, itself included: without this it would vanish instead of being quarantined.
        SELECT n.* FROM order_changes AS n
        WHERE (n.enterprise_id IS NULL OR n.action_tracker_id IS NULL OR n.order_id IS NULL)
            AND n.updated_at >= :interval_start AND n.updated_at < :interval_end
    ) AS c
) AS ranked
-- Rows without a key are not one order: each is quarantined.
WHERE (age = 1 OR enterprise_id IS NULL OR action_tracker_id IS NULL OR order_id IS NULL)
