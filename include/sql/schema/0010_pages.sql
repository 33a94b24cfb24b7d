-- The figures of a reconciliation's report as JSON (include/restatements/report), without its list of breaks: what the pages open with.
ALTER TABLE cj.reconciliation_runs ADD COLUMN IF NOT EXISTS figures text;

-- What a plan came to as JSON, as the preview of a backfill shows it; empty for a plan that was given up, or made before it was kept.
ALTER TABLE cj.plans ADD COLUMN IF NOT EXISTS interval_start timestamp with time zone;

ALTER TABLE cj.plans ADD COLUMN IF NOT EXISTS interval_end timestamp with time zone;

ALTER TABLE cj.plans ADD COLUMN IF NOT EXISTS figures text;

-- What came of reading each account's Commission Detail, one row for each change, appended: the highest `change` of a connection is how it stands.
-- `reached`: CJ took its token and answered to the end; `said`: why not, without a token.
CREATE TABLE IF NOT EXISTS cj.account_states (
    change bigint NOT NULL, conn_id text NOT NULL, enterprise_id text NOT NULL, advertiser_id text NOT NULL, currency text NOT NULL,
    mode text NOT NULL, reached boolean NOT NULL, said text, seen_at timestamp with time zone NOT NULL
);

-- Breaks that somebody has taken note of, appended. One belongs to the verdict it names: where verdict, amounts or lock date are others now, it has lapsed.
CREATE TABLE IF NOT EXISTS cj.acknowledgements (
    enterprise_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL, updated_at timestamp with time zone NOT NULL,
    advertiser_id text NOT NULL, status text NOT NULL, reason text, submitted_amount decimal(38, 10), posted_amount decimal(38, 10),
    commission_at_risk decimal(38, 10), locking_date timestamp with time zone,
    note text NOT NULL, acknowledged_by text NOT NULL, run_id text NOT NULL, acknowledged_at timestamp with time zone NOT NULL
)
