-- The items of a record as JSON in the record itself: written once, with no table and no index of their own. What was a table of them,
-- cj.commission_items, is made a view of the same rows (include.warehouse.schema); its rows go to their records here, unless it is that view already.
-- A list of [id, sku, quantity, sale amount, discount, commission] for each record, the amounts as texts with every digit. Null: no items.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS items text;

UPDATE cj.commissions SET items = i.items
FROM (
    SELECT
        t.commission_id,
        CONCAT(
            '[', STRING_AGG(
                CONCAT(
                    '[', CAST(TO_JSON(t.commission_item_id) AS text), ',', CAST(TO_JSON(t.sku) AS text), ',', CAST(t.quantity AS text), ',',
                    COALESCE('"' || RTRIM(RTRIM(CAST(t.sale_amount AS text), '0'), '.') || '"', 'null'), ',',
                    COALESCE('"' || RTRIM(RTRIM(CAST(t.discount AS text), '0'), '.') || '"', 'null'), ',',
                    COALESCE('"' || RTRIM(RTRIM(CAST(t.commission AS text), '0'), '.') || '"', 'null'), ']'
                ), ',' ORDER BY t.commission_item_id NULLS FIRST
            ), ']'
        ) AS items
    FROM cj.commission_items AS t
    WHERE EXISTS (
        SELECT 1 FROM information_schema.tables AS s
        WHERE s.table_catalog = current_database() AND s.table_schema = 'cj' AND s.table_name = 'commission_items' AND s.table_type = 'BASE TABLE'
    )
    GROUP BY t.commission_id
) AS i
WHERE i.commission_id = cj.commissions.commission_id AND cj.commissions.items IS NULL
