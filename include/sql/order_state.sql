{% from "fragments.sql" import is_of_an_order, is_of_a_lead %}
{%- set newest_first -%}
PARTITION BY r.advertiser_id, r.action_tracker_id, r.order_id
            ORDER BY CASE WHEN {{ is_of_a_lead("r") }} THEN 1 ELSE 0 END, r.posting_date DESC, CASE WHEN r.sale_amount < 0 OR r.items_mark < 0 THEN 1 ELSE 0 END,
                LENGTH(r.commission_id) DESC, r.commission_id DESC
{%- endset %}
{%- macro discount(column) -%}
CASE WHEN takes_back AND {{ column }} > 0 THEN -{{ column }} ELSE COALESCE({{ column }}, 0) END
{%- endmacro %}
-- What CJ holds now: the sum of an order's records, per advertiser, action tracker and order.
-- The records are cj.commissions, or a narrower relation of the same columns. Attributes come from the newest record; of a reversal and the
-- new state that posted together, from the new state. A bonus, or a lead beside a sale, is no part of the sale.
-- Commission and fee are null where CJ does not say one of them: null is not zero.
-- No source says whether the discount of a reversal carries a minus, as its amount and quantities do. Both are read: a record that takes back in full
-- what another one of the order says takes its discount back too, whatever its sign.
SELECT
    advertiser_id,
    action_tracker_id,
    order_id,
    SUM(sale_amount) AS sale_amount,
    SUM({{ discount("order_discount") }}) AS order_discount,
    SUM({{ discount("order_discount_orig_currency") }}) AS order_discount_orig_currency,
    SUM(items_mark) AS items_mark,
    CASE WHEN COUNT(adv_commission_amount) = COUNT(*) THEN SUM(adv_commission_amount) END AS commission,
    CASE WHEN COUNT(cj_fee) = COUNT(*) THEN SUM(cj_fee) END AS cj_fee,
    COUNT(*) AS records,
    MIN(posting_date) AS first_posted_at,
    MAX(posting_date) AS posted_at,
    MAX(locking_date) AS locking_date,
    MAX(CASE action_status WHEN 'closed' THEN 3 WHEN 'locked' THEN 2 WHEN 'extended' THEN 1 ELSE 0 END) AS lock_stage,
    MAX(CASE WHEN age = 1 THEN locking_method END) AS locking_method,
    MAX(CASE WHEN age = 1 THEN validation_status END) AS validation_status,
    MAX(CASE WHEN age = 1 THEN correction_reason END) AS correction_reason,
    MAX(CASE WHEN age = 1 THEN coupon END) AS coupon,
    MAX(CASE WHEN age = 1 THEN publisher_id END) AS publisher_id,
    -- What is added comes last: a view can grow in place.
    MAX(COALESCE(reading, 0)) AS newest_reading,
    CAST(SUM(CASE WHEN sale_amount < 0 OR items_mark < 0 THEN 1 ELSE 0 END) AS bigint) AS reversals,
    MAX(CASE WHEN age = 1 THEN sale_amount END) AS newest_sale_amount,
    MAX(CASE WHEN age = 1 THEN publisher_name END) AS publisher_name,
    MAX(CASE WHEN age = 1 THEN commission_id END) AS newest_commission_id
FROM (
    SELECT
        r.*,
        r.sale_amount <= 0 AND r.items_mark <= 0 AND (r.sale_amount < 0 OR r.items_mark < 0) AND MAX(
            CASE WHEN r.sale_amount >= 0 AND r.items_mark >= 0 THEN 1 ELSE 0 END
        ) OVER (
            PARTITION BY r.advertiser_id, r.action_tracker_id, r.order_id, ABS(r.sale_amount), ABS(COALESCE(r.order_discount, 0)), ABS(r.items_mark)
        ) = 1 AS takes_back,
        FIRST_VALUE(CASE WHEN {{ is_of_a_lead("r") }} THEN 0 ELSE 1 END) OVER ({{ newest_first }}) AS has_sale,
        ROW_NUMBER() OVER ({{ newest_first }}) AS age
    FROM {{ records }} AS r
    WHERE r.order_id IS NOT NULL AND r.order_id <> '' AND {{ is_of_an_order("r") }}
) AS aged
WHERE has_sale = 0 OR NOT {{ is_of_a_lead("aged") }}
GROUP BY advertiser_id, action_tracker_id, order_id
