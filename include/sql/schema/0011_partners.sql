-- What the publisher sees and earns of a record. Null in records read before this was asked for: not known, until they are read again.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS sale_amount_pub_currency decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS sale_amount_usd decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS pub_commission_amount_pub_currency decimal(38, 10);

ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS pub_commission_amount_usd decimal(38, 10);

-- What a partner saw: its rows as its mapping reads them, appended. A row that comes again is not stored again; one that came with other figures under
-- its own id is a further version, and the newest counts. `load_number` and `position` order them. month: of a partner that gives monthly totals.
CREATE TABLE IF NOT EXISTS cj.partner_log (
    publisher_id text NOT NULL, row_key text NOT NULL, version bigint NOT NULL, content_hash text NOT NULL,
    transaction_id text, order_id text, commission_id text, occurred_at timestamp with time zone, month text,
    conversions bigint, sale_amount decimal(38, 10), payout decimal(38, 10), currency text,
    source text NOT NULL, position bigint NOT NULL, load_number bigint NOT NULL, loaded_at timestamp with time zone NOT NULL
);

-- What was loaded of a partner, appended: a file whose bytes were loaded is not read again. Rows that could not be read are counted, and why one was not.
CREATE TABLE IF NOT EXISTS cj.partner_loads (
    load_number bigint NOT NULL, publisher_id text NOT NULL, source text NOT NULL, content_hash text, rows_read bigint NOT NULL,
    appended bigint NOT NULL, unreadable bigint NOT NULL, for_example text, loaded_at timestamp with time zone NOT NULL
);

-- The newest verdict on what a partner saw against what CJ holds: one row for each order (grain `order`) or month (grain `month`) of either.
-- before_…: what CJ held when the partner saw it, where it was restated since. difference: the partner's payout less what the publisher earns at CJ.
CREATE TABLE IF NOT EXISTS cj.partner_reconciliation (
    publisher_id text NOT NULL, partner text NOT NULL, grain text NOT NULL, unit text NOT NULL,
    advertiser_id text, action_tracker_id bigint, order_id text, transaction_id text, month text, happened_at timestamp with time zone,
    joined_by text NOT NULL, verdict text NOT NULL, rule text NOT NULL, partner_rows bigint NOT NULL, cj_records bigint NOT NULL, currency text,
    partner_sale_amount decimal(38, 10), cj_sale_amount decimal(38, 10), before_sale_amount decimal(38, 10),
    partner_payout decimal(38, 10), cj_payout decimal(38, 10), before_payout decimal(38, 10), difference decimal(38, 10),
    correction_reason text, corrected_at timestamp with time zone, money_state text NOT NULL, locking_date timestamp with time zone, locking_month text,
    payable_on timestamp with time zone, credit_from timestamp with time zone, credit_until timestamp with time zone,
    run_id text NOT NULL, checked_at timestamp with time zone NOT NULL
);

-- What CJ owes a publisher, by the month its records lock in: each record is in one of open, locked and payable. Nothing says that it was paid: an
-- advertiser cannot see that. corrected_since: what corrections changed, which is part of the three. beside_orders: what is owed for no order, the same.
CREATE TABLE IF NOT EXISTS cj.partner_statements (
    publisher_id text NOT NULL, partner text NOT NULL, advertiser_id text NOT NULL, locking_month text NOT NULL, currency text NOT NULL,
    reconciled_by text NOT NULL, records bigint NOT NULL, not_known bigint NOT NULL,
    open decimal(38, 10) NOT NULL, locked decimal(38, 10) NOT NULL, payable decimal(38, 10) NOT NULL,
    corrected_since decimal(38, 10) NOT NULL, beside_orders decimal(38, 10) NOT NULL,
    payable_on timestamp with time zone, payable_source text NOT NULL, credit_from timestamp with time zone, credit_until timestamp with time zone,
    credit_source text NOT NULL, run_id text NOT NULL, checked_at timestamp with time zone NOT NULL
)
