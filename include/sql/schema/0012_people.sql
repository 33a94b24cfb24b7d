-- Every question put to a person, and what became of it: as the journal has it. reasons: why a person was asked, a line each; shown: subject and body.
CREATE TABLE IF NOT EXISTS cj.approvals (
    run_id text NOT NULL, question bigint NOT NULL, plan_digest text NOT NULL, at_stake decimal(38, 10) NOT NULL, unpriced bigint NOT NULL,
    reasons text NOT NULL, shown text NOT NULL, asked_at timestamp with time zone NOT NULL,
    answer text, answered_by text, answered_at timestamp with time zone
)
;

-- What each run that was going live was to change of an account, what was open at CJ then, and which of the money gate's rules asked for a person (their ids,
-- and null where none did). One row for each plan and account: of a run that was planned again its newest plan, and of each earlier one what it had sent.
CREATE TABLE IF NOT EXISTS cj.nights (
    run_id text NOT NULL, enterprise_id text NOT NULL, plan_number bigint NOT NULL, backfill boolean NOT NULL,
    created bigint NOT NULL, touched bigint NOT NULL, taken_back decimal(38, 10) NOT NULL,
    open_orders bigint NOT NULL, open_money decimal(38, 10) NOT NULL, asked_by text, planned_at timestamp with time zone NOT NULL
)
;

-- What people were told: a row for each state of things that was told, and each way it was told by. over_at: when it was seen to be so no more; the next time
-- it is so is told anew.
CREATE TABLE IF NOT EXISTS cj.notices (
    kind text NOT NULL, about text NOT NULL, told_by text NOT NULL, subject text NOT NULL, words text NOT NULL,
    told_at timestamp with time zone NOT NULL, over_at timestamp with time zone
)
