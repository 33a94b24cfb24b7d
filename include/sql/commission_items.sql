-- The items of CJ's records, a row each: the view cj.commission_items, which was a table. `items` gives the lists in cj.commissions.items one by one
-- (Session.unpacked; schema/0018_items_in_the_record.sql says what stands in them).
SELECT
    i.commission_id,
    i.element ->> 0 AS commission_item_id,
    i.element ->> 1 AS sku,
    CAST(i.element ->> 2 AS bigint) AS quantity,
    CAST(i.element ->> 3 AS decimal(38, 10)) AS sale_amount,
    CAST(i.element ->> 4 AS decimal(38, 10)) AS discount,
    CAST(i.element ->> 5 AS decimal(38, 10)) AS commission
FROM {{ items }} AS i
