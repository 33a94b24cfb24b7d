-- The rule that held an order back or left it out, by its id; empty in rows written before there were ids.
ALTER TABLE cj.quarantine ADD COLUMN IF NOT EXISTS rule text;

ALTER TABLE cj.skipped ADD COLUMN IF NOT EXISTS rule text;

-- Every change of verdict, appended, never edited. `change` counts the changes of one order state from 1: order comes from it, not from a clock.
CREATE TABLE IF NOT EXISTS cj.verdicts_log (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, updated_at timestamp with time zone NOT NULL,
    advertiser_id text NOT NULL, run_id text NOT NULL, operation text NOT NULL, submitted_at timestamp with time zone NOT NULL,
    change bigint NOT NULL, status text NOT NULL, reason text, status_before text, reason_before text,
    posted_amount decimal(38, 10), difference decimal(38, 10), commission_at_risk decimal(38, 10), checked_at timestamp with time zone NOT NULL
);
