-- Which of cj.asked_orders CJ has heard of: there is a record of the order id under any action tracker, or a live call named it.
SELECT a.position
FROM cj.asked_orders AS a
INNER JOIN cj.commissions AS c USING (advertiser_id, order_id)
UNION
SELECT a.position
FROM cj.asked_orders AS a
INNER JOIN cj.submissions AS s USING (enterprise_id, order_id)
WHERE s.mode = 'live'
