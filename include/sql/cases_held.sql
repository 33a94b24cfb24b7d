{% from "fragments.sql" import what_order_state_asks %}
-- What CJ holds of the orders of cj.case_breaks. Asked by itself: how many orders a sum of records is of the planner cannot tell, and joined with each time a
-- break was sent it would go through all of them for every one.
WITH records AS (
    SELECT {{ what_order_state_asks("c") }}
    FROM cj.commissions AS c /* few */
    INNER JOIN (SELECT DISTINCT advertiser_id, action_tracker_id, order_id FROM cj.case_breaks) AS k USING (advertiser_id, action_tracker_id, order_id)
),

held AS (
{% with records = "records" %}
{% include "order_state.sql" %}
{% endwith %}

)

SELECT advertiser_id, action_tracker_id, order_id, order_discount AS discount_shown, coupon AS coupon_shown, newest_commission_id AS newest_record
FROM held
