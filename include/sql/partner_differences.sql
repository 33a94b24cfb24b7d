{% from "partner_fragments.sql" import wanted_difference, difference_turn, largest_first, happened, which_order %}
{% set place = difference_turn("r") ~ ", " ~ largest_first("r") ~ ", " ~ happened("r") ~ ", " ~ which_order("r") %}
-- What somebody should look at of :publisher_id, the largest difference first. What comes before a page is passed over by its last row's key.
SELECT r.*, {{ difference_turn("r") }} AS turn, {{ largest_first("r") }} AS largest, {{ happened("r") }} AS happened
FROM cj.partner_reconciliation AS r
WHERE {{ wanted_difference("r", asked, at_rest) }}
{% if "after" in asked %}
  AND ({{ place }}) > (:after_turn, :after_largest, :after_happened, :after_unit, :after_advertiser, :after_tracker)
{% endif %}
ORDER BY {{ place }}
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
