-- Records of Commission Detail that could not be kept as they came, one row for each thing that was wrong with one, appended.
-- kept: the record is in cj.commissions, with a change. Not kept: what its order comes to at CJ is not known, unless a later reading brought the
-- record after all. raw is the record as JSON, without what may be a person's and without what nobody asked for.
CREATE TABLE IF NOT EXISTS cj.ledger_set_aside (
    advertiser_id text NOT NULL, commission_id text, action_tracker_id bigint, order_id text,
    what text NOT NULL, why text NOT NULL, kept boolean NOT NULL, raw text NOT NULL, set_aside_at timestamp with time zone NOT NULL
);
