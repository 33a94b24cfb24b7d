-- Orders that were skipped or held back and of which CJ's records changed since: each is planned again. Collected by every plan from what was read since the
-- plan before, so that a night looks at what is new and not at all that was ever skipped; a row goes once its order has a newer word.
CREATE TABLE IF NOT EXISTS cj.replan_news (enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL);

-- Whether this plan collected them, up to its reading. Null in plans from before: then everything is looked at once.
ALTER TABLE cj.plans ADD COLUMN IF NOT EXISTS collected boolean
