-- Cases for CJ's support: a ready one is written anew from the breaks that nothing explains, a filed one follows from cj.case_events and the time. Nothing here
-- is the only record of anything: what happened is in the journal. due_early and due_late are the two readings of 72 business hours; due_late is null where
-- the hours of the desk are not known. attachments: their names and sizes, as JSON. digest: of the pack that is to be filed, or was.
CREATE TABLE IF NOT EXISTS cj.cases (
    case_id text NOT NULL, kind text NOT NULL, enterprise_id text NOT NULL, advertiser_id text NOT NULL, operation text, reason text,
    digest text NOT NULL, subject text NOT NULL, description text NOT NULL, case_reason text, sub_reason text, cc text, line text,
    attachments text NOT NULL, orders bigint NOT NULL, at_risk decimal(38, 10), unpriced bigint NOT NULL, currency text,
    first_lock timestamp with time zone, state text NOT NULL, case_number text, filed_by text, filed_at timestamp with time zone,
    asked_at timestamp with time zone, due_usual timestamp with time zone, due_early timestamp with time zone, due_late timestamp with time zone,
    answered_at timestamp with time zone, closes_at timestamp with time zone, settled_at timestamp with time zone
);

-- The order states that a case is about.
CREATE TABLE IF NOT EXISTS cj.case_orders (
    case_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

-- Everything that happened to a case that was filed, as the journal has it, in its order.
CREATE TABLE IF NOT EXISTS cj.case_events (
    case_id text NOT NULL, event bigint NOT NULL, act text NOT NULL, happened_at timestamp with time zone NOT NULL, said_by text,
    case_number text, note text
)
