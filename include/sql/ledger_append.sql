-- Records and items that are not there yet, once each, however often a page is read.
INSERT INTO cj.commission_items (commission_id, commission_item_id, sku, quantity, sale_amount, discount, commission)
SELECT DISTINCT i.commission_id, i.commission_item_id, i.sku, i.quantity, i.sale_amount, i.discount, i.commission
FROM cj.incoming_items AS i
WHERE NOT EXISTS (SELECT 1 FROM cj.commissions AS c WHERE c.commission_id = i.commission_id)
-- In the order of the index, which then grows at its end alone.
ORDER BY i.commission_id;

INSERT INTO cj.commissions (
    commission_id, advertiser_id, action_tracker_id, action_tracker_name, order_id, action_type, action_status, publisher_id, publisher_name,
    event_date, posting_date, locking_date, locking_method, validation_status, original, original_action_id, correction_reason, sale_amount,
    order_discount, order_discount_orig_currency, adv_commission_amount, cj_fee, coupon, items_mark, ingested_at
)
SELECT
    commission_id, advertiser_id, action_tracker_id, action_tracker_name, order_id, action_type, action_status, publisher_id, publisher_name,
    event_date, posting_date, locking_date, locking_method, validation_status, original, original_action_id, correction_reason, sale_amount,
    order_discount, order_discount_orig_currency, adv_commission_amount, cj_fee, coupon, items_mark, ingested_at
FROM (
    SELECT n.*, ROW_NUMBER() OVER (PARTITION BY n.commission_id ORDER BY n.ingested_at) AS copy FROM cj.incoming_commissions AS n
) AS once
WHERE once.copy = 1 AND NOT EXISTS (SELECT 1 FROM cj.commissions AS c WHERE c.commission_id = once.commission_id);
