-- The rows of :publisher_id whose {{ column }} is :value, and those of the same clicks that name no order, each in its newest version.
WITH clicks AS (
    SELECT DISTINCT l.transaction_id FROM cj.partner_log AS l WHERE l.publisher_id = :publisher_id AND l.{{ column }} = :value
),

picked AS (
    SELECT l.row_key FROM cj.partner_log AS l WHERE l.publisher_id = :publisher_id AND l.{{ column }} = :value
    UNION
    SELECT l.row_key
    FROM cj.partner_log AS l
    INNER JOIN clicks AS c ON c.transaction_id = l.transaction_id
    WHERE l.publisher_id = :publisher_id AND l.order_id IS NULL
)

SELECT v.*
FROM (
    SELECT l.*, ROW_NUMBER() OVER (PARTITION BY l.row_key ORDER BY l.version DESC) AS age
    FROM cj.partner_log AS l
    INNER JOIN picked AS p ON p.row_key = l.row_key
    WHERE l.publisher_id = :publisher_id
) AS v
WHERE v.age = 1 AND (v.{{ column }} = :value OR v.order_id IS NULL)
ORDER BY v.occurred_at, v.load_number, v.position
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
