-- Whether the state that was sent is the one the order was placed with, so that what CJ made of the pixel's amount is what it makes of this one. Null in
-- rows from before it was written down: not known.
ALTER TABLE cj.submissions ADD COLUMN IF NOT EXISTS untouched boolean
