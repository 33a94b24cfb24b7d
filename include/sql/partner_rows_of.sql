-- The rows of :publisher_id whose {{ column }} is :value, and those of the same clicks that name no order, each in its newest version.
WITH clicks AS (
    SELECT DISTINCT l.transaction_id FROM cj.partner_log AS l WHERE l.publisher_id = :publisher_id AND l.{{ column }} = :value
)

SELECT v.*
FROM (
    SELECT l.*, ROW_NUMBER() OVER (PARTITION BY l.row_key ORDER BY l.version DESC) AS age
    FROM cj.partner_log AS l
    WHERE l.publisher_id = :publisher_id
      AND (l.{{ column }} = :value OR (l.order_id IS NULL AND l.transaction_id IN (SELECT c.transaction_id FROM clicks AS c)))
) AS v
WHERE v.age = 1
ORDER BY v.occurred_at, v.load_number, v.position
