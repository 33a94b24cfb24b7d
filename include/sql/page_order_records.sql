{% from "fragments.sql" import is_of_an_order %}
-- CJ's records of an order, those that count and those that do not, in the order in which they posted.
SELECT c.commission_id, c.advertiser_id, c.action_type, c.action_status, c.publisher_id, c.publisher_name, c.posting_date, c.locking_date, c.locking_method,
    c.validation_status, c.original, c.correction_reason, c.sale_amount, c.order_discount, c.adv_commission_amount, c.cj_fee, c.coupon, c.ingested_at,
    c.gone_reading IS NOT NULL AS gone, ({{ is_of_an_order("c") }}) AS counts
FROM cj.commissions AS c
WHERE c.order_id = :order_id AND c.action_tracker_id = :action_tracker_id
ORDER BY c.posting_date, CASE WHEN c.sale_amount < 0 THEN 0 ELSE 1 END, LENGTH(c.commission_id), c.commission_id
