-- The plan's working tables: emptied by the run that fills them.
-- One row per order a run picked and the gate let through; `place` is its position in the run's file of good rows.
CREATE TABLE IF NOT EXISTS cj.plan_input (
    run_id text NOT NULL, place bigint NOT NULL,
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    advertiser_id text NOT NULL, functional_currency text NOT NULL, sale_amount_basis text NOT NULL,
    change_type text NOT NULL, was_new boolean NOT NULL, attributed boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL, amount decimal(38, 10), discount decimal(38, 10), currency text, coupon text,
    has_items boolean NOT NULL, items_mark decimal(38, 0), status text, correction_reason text, payload_hash text NOT NULL
);

-- Orders to plan again although nothing touched them in the interval.
CREATE TABLE IF NOT EXISTS cj.replan_keys (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, updated_at timestamp with time zone NOT NULL
);

-- One reading of Commission Detail on its way into cj.commissions.
CREATE TABLE IF NOT EXISTS cj.incoming_commissions AS SELECT * FROM cj.commissions WHERE 1 = 0;
CREATE TABLE IF NOT EXISTS cj.incoming_items AS SELECT * FROM cj.commission_items WHERE 1 = 0;

-- One round of verdicts on its way into cj.reconciliation.
CREATE TABLE IF NOT EXISTS cj.verdicts AS SELECT * FROM cj.reconciliation WHERE 1 = 0;
