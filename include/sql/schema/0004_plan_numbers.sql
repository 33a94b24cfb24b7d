-- Order comes from numbers that cannot go backwards, never from a clock: each plan takes the next one under its lock, and so does each reading of
-- Commission Detail. A plan knows which reading was the last one when it was made: a record that was read later is news to it.
CREATE TABLE IF NOT EXISTS cj.plans (
    plan_number bigint NOT NULL, run_id text NOT NULL, reading bigint NOT NULL, planned_at timestamp with time zone NOT NULL
);

-- Up to which reading the orders of an advertiser were judged. Appended: the highest counts.
CREATE TABLE IF NOT EXISTS cj.judged_readings (
    advertiser_id text NOT NULL, reading bigint NOT NULL, checked_at timestamp with time zone NOT NULL
);

ALTER TABLE cj.planned ADD COLUMN IF NOT EXISTS plan_number bigint;

ALTER TABLE cj.quarantine ADD COLUMN IF NOT EXISTS plan_number bigint;

ALTER TABLE cj.skipped ADD COLUMN IF NOT EXISTS plan_number bigint;

ALTER TABLE cj.submissions ADD COLUMN IF NOT EXISTS plan_number bigint;

-- The last reading the plan of this submission knew.
ALTER TABLE cj.submissions ADD COLUMN IF NOT EXISTS known_reading bigint;

-- The plan of the attempt that was judged, and the last reading it was judged by.
ALTER TABLE cj.reconciliation ADD COLUMN IF NOT EXISTS plan_number bigint;

ALTER TABLE cj.reconciliation ADD COLUMN IF NOT EXISTS reading bigint;

ALTER TABLE cj.ledger_reads ADD COLUMN IF NOT EXISTS reading bigint;

-- Null in records from before readings had numbers: older than all of them.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS reading bigint;

-- What was sent and said before plans had numbers is older than every plan that has one: its moment, as a number below zero, keeps its order.
UPDATE cj.planned SET plan_number = CAST(EXTRACT(EPOCH FROM planned_at) * 1000 AS bigint) - 100000000000000 WHERE plan_number IS NULL;

UPDATE cj.quarantine SET plan_number = CAST(EXTRACT(EPOCH FROM quarantined_at) * 1000 AS bigint) - 100000000000000 WHERE plan_number IS NULL;

UPDATE cj.skipped SET plan_number = CAST(EXTRACT(EPOCH FROM skipped_at) * 1000 AS bigint) - 100000000000000 WHERE plan_number IS NULL;

UPDATE cj.submissions SET plan_number = CAST(EXTRACT(EPOCH FROM submitted_at) * 1000 AS bigint) - 100000000000000, known_reading = -1
WHERE plan_number IS NULL;

UPDATE cj.reconciliation SET plan_number = CAST(EXTRACT(EPOCH FROM submitted_at) * 1000 AS bigint) - 100000000000000, reading = 0
WHERE plan_number IS NULL
