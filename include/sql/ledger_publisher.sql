-- What the publisher sees and earns, of records that were read before that was asked for and are read again (cj.incoming_commissions).
UPDATE cj.commissions SET
    sale_amount_pub_currency = n.sale_amount_pub_currency,
    sale_amount_usd = n.sale_amount_usd,
    pub_commission_amount_pub_currency = n.pub_commission_amount_pub_currency,
    pub_commission_amount_usd = n.pub_commission_amount_usd
FROM (
    SELECT i.commission_id, MAX(i.sale_amount_pub_currency) AS sale_amount_pub_currency, MAX(i.sale_amount_usd) AS sale_amount_usd,
        MAX(i.pub_commission_amount_pub_currency) AS pub_commission_amount_pub_currency, MAX(i.pub_commission_amount_usd) AS pub_commission_amount_usd
    FROM cj.incoming_commissions AS i
    GROUP BY i.commission_id
) AS n
WHERE n.commission_id = cj.commissions.commission_id AND cj.commissions.pub_commission_amount_usd IS NULL
