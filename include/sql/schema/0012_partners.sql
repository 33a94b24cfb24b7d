-- What the publisher sees and earns of a record. Null in records read before this was asked for: not known, until they are read again.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS sale_amount_pub_currency decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS sale_amount_usd decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS pub_commission_amount_pub_currency decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS pub_commission_amount_usd decimal(38, 10)
