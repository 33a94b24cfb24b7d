{% set columns -%}
enterprise_id, action_tracker_id, order_id, advertiser_id, finding, near, rule, reason, detail, change, placed_at, updated_at, locking_date,
    held_amount, wanted_amount, currency, held_cost, at_stake, publisher_id, publisher_name, verdict, verdict_reason, verdict_risk, verdict_of, extension
{%- endset -%}
-- What the review :before found of an account that could not be read this time, taken over as it was. Bound to :review, :before and :advertiser_id.
INSERT INTO cj.prelock_orders (
    review, {{ columns }}
)
SELECT :review, {{ columns }}
FROM cj.prelock_orders
WHERE review = :before AND advertiser_id = :advertiser_id
