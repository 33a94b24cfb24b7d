-- The reading at which CJ no longer showed a record under its id, though it showed the like of it under another: it is that one now, and counts no more.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS gone_reading bigint
