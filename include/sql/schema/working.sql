-- Working tables: emptied by the stage that fills them, inside its own transaction, so between transactions they hold no row. They are dropped
-- and made anew whenever this text changes, or the schema moves on: change it freely, no step is needed.

-- What the working tables, the view and the indexes were made of.
CREATE TABLE cj.working_version (made_of text NOT NULL);

-- One row per order a run picked and the gate let through; `position` is its position in the run's file of good rows.
CREATE TABLE cj.plan_input (
    run_id text NOT NULL, position bigint NOT NULL,
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    advertiser_id text NOT NULL, functional_currency text NOT NULL, sale_amount_basis text NOT NULL,
    change_type text NOT NULL, was_new boolean NOT NULL, attributed boolean NOT NULL, before_ledger boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL, amount decimal(38, 10), discount decimal(38, 10), currency text, coupon text,
    has_items boolean NOT NULL, items_mark decimal(38, 0), status text, correction_reason text, payload_hash text NOT NULL,
    former_hash text
);

-- Orders that no publisher brought, while it is asked whether CJ has heard of them.
CREATE TABLE cj.asked_orders (position bigint NOT NULL, advertiser_id text NOT NULL, enterprise_id text NOT NULL, order_id text NOT NULL);

-- Orders to plan again although nothing touched them in the interval. waits: something was to be sent of it, or was held back, and was not yet.
CREATE TABLE cj.replan_keys (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, updated_at timestamp with time zone NOT NULL,
    waits boolean NOT NULL
);

-- The ids of one reading of Commission Detail, or the records that are read again, on their way into cj.commissions.
CREATE TABLE cj.incoming_commissions AS SELECT * FROM cj.commissions WHERE 1 = 0;

-- The ids of the records that are read again.
CREATE TABLE cj.asked_commissions (commission_id text NOT NULL);

-- One round of verdicts on its way into cj.reconciliation.
CREATE TABLE cj.verdicts AS SELECT * FROM cj.reconciliation WHERE 1 = 0;

-- Of the order states that a report is about, those with no verdict or another run's.
CREATE TABLE cj.report_elsewhere AS SELECT * FROM cj.reconciliation WHERE 1 = 0;

-- The breaks that nothing explains, on their way into cases.
CREATE TABLE cj.case_breaks AS SELECT * FROM cj.reconciliation WHERE 1 = 0;

-- The accounts of this reconciliation, and the orders it looks at.
CREATE TABLE cj.accounts_now (
    advertiser_id text NOT NULL, functional_currency text NOT NULL, sale_amount_basis text NOT NULL, judged_reading bigint NOT NULL,
    read_whole_until timestamp with time zone NOT NULL
);
CREATE TABLE cj.open_orders (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, attempts bigint NOT NULL
);

-- The orders that may be settled for good, and then those that are kept no longer. One of several states may stand here more than once.
CREATE TABLE cj.settled_orders (
    advertiser_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL
);

-- The orders whose row in cj.held_open is made anew.
CREATE TABLE cj.held_news (advertiser_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL);

-- The rows of one source of a partner on their way into cj.partner_log; those of a partner that count in one reconciliation, with the unit each is of:
-- the order it names, or the click; and when CJ pays what locks in a month.
CREATE TABLE cj.partner_incoming (
    row_key text NOT NULL, content_hash text NOT NULL, transaction_id text, order_id text, commission_id text, occurred_at timestamp with time zone,
    month text, conversions bigint, sale_amount decimal(38, 10), payout decimal(38, 10), currency text, position bigint NOT NULL
);
CREATE TABLE cj.partner_rows (
    unit text NOT NULL, order_id text, commission_id text, transaction_id text, occurred_at timestamp with time zone, month text, conversions bigint,
    sale_amount decimal(38, 10), payout decimal(38, 10), currency text, load_number bigint NOT NULL, position bigint NOT NULL
);
CREATE TABLE cj.partner_calendar (
    begins timestamp with time zone NOT NULL, label text NOT NULL, payable_on timestamp with time zone, credit_from timestamp with time zone,
    credit_until timestamp with time zone
);

-- One round of verdicts on its way into cj.partner_reconciliation, with the same columns in the same order.
CREATE TABLE cj.partner_verdicts (
    publisher_id text NOT NULL, partner text NOT NULL, grain text NOT NULL, unit text NOT NULL,
    advertiser_id text, action_tracker_id bigint, order_id text, transaction_id text, month text, happened_at timestamp with time zone,
    joined_by text NOT NULL, verdict text NOT NULL, rule text NOT NULL, partner_rows bigint NOT NULL, cj_records bigint NOT NULL, currency text,
    partner_sale_amount decimal(38, 10), cj_sale_amount decimal(38, 10), before_sale_amount decimal(38, 10),
    partner_payout decimal(38, 10), cj_payout decimal(38, 10), before_payout decimal(38, 10), difference decimal(38, 10),
    correction_reason text, corrected_at timestamp with time zone, money_state text NOT NULL, locking_date timestamp with time zone, locking_month text,
    payable_on timestamp with time zone, credit_from timestamp with time zone, credit_until timestamp with time zone,
    run_id text NOT NULL, checked_at timestamp with time zone NOT NULL
);

-- The orders that a pre-lock review asks about together, those of them that the gate held back, and what was found of each. named: the order id as it may
-- be kept, its pseudonym where it is somebody's e-mail address; that is also what the gate writes.
CREATE TABLE cj.prelock_keys (
    advertiser_id text NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, named text NOT NULL,
    live boolean NOT NULL
);
CREATE TABLE cj.prelock_refused (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, reason text NOT NULL, detail text
);
-- With the columns of cj.prelock_orders, in their order.
CREATE TABLE cj.prelock_found (
    review bigint NOT NULL, enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, advertiser_id text NOT NULL,
    finding text NOT NULL, near boolean NOT NULL, rule text, reason text NOT NULL, detail text, change text,
    placed_at timestamp with time zone, updated_at timestamp with time zone, locking_date timestamp with time zone,
    held_amount decimal(38, 10), wanted_amount decimal(38, 10), currency text, held_cost decimal(38, 10), at_stake decimal(38, 10),
    publisher_id text, publisher_name text,
    verdict text, verdict_reason text, verdict_risk decimal(38, 10), verdict_of timestamp with time zone, extension text
);
