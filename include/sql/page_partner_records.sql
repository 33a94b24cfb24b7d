{% from "fragments.sql" import is_of_an_order %}
{% from "partner_fragments.sql" import publishers_figure %}
-- CJ's records of an order of :publisher_id as the publisher sees them, in :currency, in the order in which they posted.
SELECT c.commission_id, c.action_status, c.posting_date, c.locking_date, c.original, c.correction_reason,
    {{ publishers_figure("c", "sale_amount") }} AS sale_amount, {{ publishers_figure("c", "pub_commission_amount") }} AS payout
FROM cj.commissions AS c
WHERE c.order_id = :order_id AND c.action_tracker_id = :action_tracker_id AND c.advertiser_id = :advertiser_id AND c.publisher_id = :publisher_id
  AND {{ is_of_an_order("c") }}
ORDER BY c.posting_date, CASE WHEN c.sale_amount < 0 THEN 0 ELSE 1 END, LENGTH(c.commission_id), c.commission_id
