-- The tables of schema cj. One dialect-neutral text; every statement can run again.
-- Money is decimal(38, 10), times are UTC instants, ids are text as CJ gives them.
CREATE SCHEMA IF NOT EXISTS cj;

-- One row per order and attempt. Appended when a chunk's journal is loaded; only `unknown` is ever settled (settled_at says when).
CREATE TABLE IF NOT EXISTS cj.submissions (
    run_id text NOT NULL, chunk_id text NOT NULL, operation text NOT NULL, mode text NOT NULL,
    advertiser_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    updated_at timestamp with time zone NOT NULL, amount decimal(38, 10), discount decimal(38, 10), currency text,
    coupon text, status text, correction_reason text, items_mark decimal(38, 0),
    payload_hash text NOT NULL, attempt integer NOT NULL,
    outcome text NOT NULL, submission_id text, batch_id text, submitted_at timestamp with time zone, error_message text,
    settled_at timestamp with time zone
);

-- One row per order held back before CJ that somebody should look at.
CREATE TABLE IF NOT EXISTS cj.quarantine (
    run_id text NOT NULL, enterprise_id text, action_tracker_id bigint, order_id text, updated_at timestamp with time zone,
    stage text NOT NULL, reason text NOT NULL, detail text, quarantined_at timestamp with time zone NOT NULL
);

-- One row per order for which there was nothing to send.
CREATE TABLE IF NOT EXISTS cj.skipped (
    run_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    updated_at timestamp with time zone NOT NULL, reason text NOT NULL, skipped_at timestamp with time zone NOT NULL
);

-- What runs have planned and not yet loaded into the tables above: the one place that says which chunk owns an order.
CREATE TABLE IF NOT EXISTS cj.planned (
    run_id text NOT NULL, chunk_id text NOT NULL, operation text NOT NULL,
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    updated_at timestamp with time zone NOT NULL, planned_at timestamp with time zone NOT NULL
);

-- CJ's records as they came, one row per commission_id; never edited, but for the state CJ itself moves (action_status, locking_date).
-- items_mark is the sum over the record's items of quantity x a hash of the SKU: it adds up over records as amounts do.
CREATE TABLE IF NOT EXISTS cj.commissions (
    commission_id text NOT NULL, advertiser_id text NOT NULL, action_tracker_id bigint NOT NULL, action_tracker_name text, order_id text,
    action_type text NOT NULL, action_status text NOT NULL, publisher_id text NOT NULL, publisher_name text,
    event_date timestamp with time zone, posting_date timestamp with time zone NOT NULL, locking_date timestamp with time zone,
    locking_method text, validation_status text, original boolean NOT NULL, original_action_id text, correction_reason text,
    sale_amount decimal(38, 10), order_discount decimal(38, 10), order_discount_orig_currency decimal(38, 10),
    adv_commission_amount decimal(38, 10), cj_fee decimal(38, 10), coupon text, items_mark decimal(38, 0) NOT NULL,
    ingested_at timestamp with time zone NOT NULL
);

CREATE TABLE IF NOT EXISTS cj.commission_items (
    commission_id text NOT NULL, commission_item_id text NOT NULL, sku text NOT NULL, quantity bigint NOT NULL,
    sale_amount decimal(38, 10), discount decimal(38, 10), commission decimal(38, 10)
);

-- Where the incremental reading of each advertiser stands. Appended: the newest row counts.
CREATE TABLE IF NOT EXISTS cj.ledger_reads (
    advertiser_id text NOT NULL, cursor_commission_id text NOT NULL, kind text NOT NULL, read_from timestamp with time zone NOT NULL,
    complete_until timestamp with time zone NOT NULL, records bigint NOT NULL, read_at timestamp with time zone NOT NULL
);

-- The newest verdict on every order state submitted live.
CREATE TABLE IF NOT EXISTS cj.reconciliation (
    run_id text NOT NULL, advertiser_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    updated_at timestamp with time zone NOT NULL, operation text NOT NULL, status text NOT NULL, reason text,
    submitted_amount decimal(38, 10), posted_amount decimal(38, 10), difference decimal(38, 10), currency text,
    submitted_at timestamp with time zone NOT NULL, posted_at timestamp with time zone, locking_date timestamp with time zone,
    days_to_lock bigint, commission_at_risk decimal(38, 10), attempts bigint NOT NULL, within_band boolean NOT NULL,
    checked_at timestamp with time zone NOT NULL
);

-- One row per reconciliation run.
CREATE TABLE IF NOT EXISTS cj.reconciliation_runs (
    reconciliation_run_id text NOT NULL, checked_at timestamp with time zone NOT NULL,
    orders bigint NOT NULL, awaiting bigint NOT NULL, late bigint NOT NULL, matched bigint NOT NULL, mismatched bigint NOT NULL,
    missing bigint NOT NULL, superseded bigint NOT NULL,
    submitted_amount decimal(38, 10), matched_amount decimal(38, 10), commission_at_risk decimal(38, 10),
    posting_lag_p50_seconds double precision, posting_lag_p90_seconds double precision, posting_lag_p99_seconds double precision,
    posting_lag_max_seconds double precision, other_basis_matches_all boolean NOT NULL, report text
);

-- Working tables: emptied by the stage that fills them, inside its own transaction.
-- One row per order a run picked and the gate let through; `place` is its position in the run's file of good rows.
CREATE TABLE IF NOT EXISTS cj.plan_input (
    run_id text NOT NULL, place bigint NOT NULL,
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    advertiser_id text NOT NULL, functional_currency text NOT NULL, sale_amount_basis text NOT NULL,
    change_type text NOT NULL, was_new boolean NOT NULL, attributed boolean NOT NULL, before_ledger boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL, amount decimal(38, 10), discount decimal(38, 10), currency text, coupon text,
    has_items boolean NOT NULL, items_mark decimal(38, 0), status text, correction_reason text, payload_hash text NOT NULL
);

-- Orders to plan again although nothing touched them in the interval.
CREATE TABLE IF NOT EXISTS cj.replan_keys (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, updated_at timestamp with time zone NOT NULL
);

-- The ids of one reading of Commission Detail, or the records that are read again, on their way into cj.commissions.
CREATE TABLE IF NOT EXISTS cj.incoming_commissions AS SELECT * FROM cj.commissions WHERE 1 = 0;

-- One round of verdicts on its way into cj.reconciliation.
CREATE TABLE IF NOT EXISTS cj.verdicts AS SELECT * FROM cj.reconciliation WHERE 1 = 0;

-- The accounts of this reconciliation, and the orders it looks at.
CREATE TABLE IF NOT EXISTS cj.accounts_now (advertiser_id text NOT NULL, functional_currency text NOT NULL, sale_amount_basis text NOT NULL);
CREATE TABLE IF NOT EXISTS cj.open_orders (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, overtaken integer NOT NULL
);
