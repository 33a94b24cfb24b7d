-- The reading at which CJ no longer showed a record under its id, though it showed the like of it under another: it is that one now, and counts no more.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS gone_reading bigint;

-- The reading that set the record aside.
ALTER TABLE cj.ledger_set_aside ADD COLUMN IF NOT EXISTS reading bigint
