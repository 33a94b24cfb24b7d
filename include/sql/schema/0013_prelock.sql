-- What a pre-lock review found, an order each: of the newest review that has ended, and of one that is under way. near: it locks within the days that
-- were asked for, cannot be mended any more, or has a break. extension: whether it is on the list of orders whose lock is to be put off, and why not;
-- null where no return of it can come after its lock.
CREATE TABLE IF NOT EXISTS cj.prelock_orders (
    review bigint NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, advertiser_id text NOT NULL,
    finding text NOT NULL, near boolean NOT NULL, rule text, reason text NOT NULL, detail text, change text,
    placed_at timestamp with time zone, updated_at timestamp with time zone, locking_date timestamp with time zone,
    held_amount decimal(38, 10), wanted_amount decimal(38, 10), currency text, held_cost decimal(38, 10), at_stake decimal(38, 10),
    publisher_id text, publisher_name text,
    verdict text, verdict_reason text, verdict_risk decimal(38, 10), verdict_of timestamp with time zone, extension text
);

-- Each pre-lock review that has ended, appended: CJ's time, up to how many days before a lock it looked, what it came to as JSON, and the digest of what
-- somebody has to look at.
CREATE TABLE IF NOT EXISTS cj.prelock_sweeps (
    review bigint NOT NULL, run_id text NOT NULL, reviewed_at timestamp with time zone NOT NULL, days_before_lock bigint NOT NULL,
    digest text NOT NULL, figures text NOT NULL, files text NOT NULL
);

-- Who has looked at a review, as the journal has it: at what digest, what they said, and what they were shown. It lapses where the digest is another.
CREATE TABLE IF NOT EXISTS cj.prelock_reviews (
    run_id text NOT NULL, digest text NOT NULL, review bigint NOT NULL, note text NOT NULL, shown text NOT NULL, reviewed_by text NOT NULL,
    reviewed_at timestamp with time zone NOT NULL
);

-- Of an order that a review found to differ at CJ: the state the warehouse gave of it, and the newest plan there was then. It is planned again until a later
-- plan has said or sent something of it.
ALTER TABLE cj.replan_news ADD COLUMN IF NOT EXISTS updated_at timestamp with time zone;

ALTER TABLE cj.replan_news ADD COLUMN IF NOT EXISTS found_after bigint
