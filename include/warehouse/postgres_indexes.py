"""What PostgreSQL finds by an index in the schema `cj`: whatever grows with history and is looked for again."""

from __future__ import annotations

_KEY = "enterprise_id, action_tracker_id, order_id, updated_at"
_DEAREST = "-COALESCE(commission_at_risk, -1)"
_DEAREST_FOUND = "-COALESCE(at_stake, verdict_risk, -1)"
_LOCKS = "COALESCE(locking_date, CAST('9999-12-31 00:00:00+00' AS timestamp with time zone))"
"""As include/sql/page_fragments.sql puts breaks in order."""
_TURN = "CASE WHEN grain = 'month' THEN 0 WHEN difference IS NULL THEN 1 ELSE 2 END"
_LARGEST = "-COALESCE(ABS(difference), 0)"
_HAPPENED, _CORRECTED = (
    f"COALESCE({at}, CAST('1970-01-01 00:00:00+00' AS timestamp with time zone))" for at in ("happened_at", "corrected_at")
)
_WHICH = "unit, COALESCE(advertiser_id, ''), COALESCE(action_tracker_id, -1)"
"""As include/sql/partner_fragments.sql puts a partner's differences in order."""
_CASE_RANK = "CASE state WHEN 'answered' THEN 0 WHEN 'ready' THEN 1 WHEN 'filed' THEN 2 WHEN 'closed' THEN 3 ELSE 4 END"
_CASE_DEAREST = "-COALESCE(at_risk, -1)"
"""As include/sql/page_fragments.sql puts cases in order."""

INDEXES = (
    "CREATE INDEX IF NOT EXISTS submissions_order ON cj.submissions (order_id, action_tracker_id, enterprise_id, updated_at)",
    # Chunks are loaded one by one: without these two, each would read every row of the night.
    "CREATE INDEX IF NOT EXISTS submissions_chunk ON cj.submissions (run_id, chunk_id)",
    # Whose rows an enterprise's are, what has come of age, what is not settled: looked for every night, and hardly ever there.
    "CREATE INDEX IF NOT EXISTS submissions_advertiser ON cj.submissions (enterprise_id, advertiser_id)",
    "CREATE INDEX IF NOT EXISTS submissions_live ON cj.submissions (submitted_at) WHERE mode = 'live'",
    "CREATE INDEX IF NOT EXISTS submissions_unknown ON cj.submissions (submitted_at) WHERE outcome = 'unknown'",
    "CREATE INDEX IF NOT EXISTS submissions_again ON cj.submissions (attempt) WHERE outcome IN ('rejected', 'unknown')",
    # What is still to be accepted: found from the records of it, which are few, and not from every order that was created so.
    "CREATE INDEX IF NOT EXISTS commissions_pending ON cj.commissions (order_id) WHERE locking_method = 'OPEN_ENDED' AND validation_status = 'PENDING'",
    "CREATE INDEX IF NOT EXISTS submissions_told ON cj.submissions (run_id, chunk_id) WHERE error_message IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS planned_chunk ON cj.planned (run_id, chunk_id)",
    "CREATE INDEX IF NOT EXISTS reconciliation_order ON cj.reconciliation (order_id, action_tracker_id, enterprise_id, updated_at)",
    # What is open, what a round looked at, and the last nights: found without reading every verdict there ever was.
    "CREATE INDEX IF NOT EXISTS reconciliation_open ON cj.reconciliation (submitted_at) WHERE status IN ('awaiting', 'late', 'mismatched', 'missing')",
    (
        "CREATE INDEX IF NOT EXISTS reconciliation_changing ON cj.reconciliation (advertiser_id) WHERE "
        "status IN ('awaiting', 'late') OR status IN ('mismatched', 'missing') AND (locking_date IS NULL OR locking_date > checked_at)"
    ),
    "CREATE INDEX IF NOT EXISTS reconciliation_checked ON cj.reconciliation (checked_at)",
    "CREATE INDEX IF NOT EXISTS reconciliation_submitted ON cj.reconciliation (submitted_at)",
    "CREATE INDEX IF NOT EXISTS reconciliation_advertiser ON cj.reconciliation (enterprise_id, advertiser_id)",
    "CREATE INDEX IF NOT EXISTS quarantine_locked ON cj.quarantine (quarantined_at) WHERE reason = 'locked'",
    "CREATE INDEX IF NOT EXISTS quarantine_rule ON cj.quarantine (rule) WHERE rule IN ('event_time_in_future', 'updated_at_in_future', 'older_than_the_ledger')",
    "CREATE INDEX IF NOT EXISTS skipped_waits ON cj.skipped (reason) WHERE reason IN ('waiting', 'superseded')",
    "CREATE INDEX IF NOT EXISTS quarantine_order ON cj.quarantine (order_id, action_tracker_id, enterprise_id)",
    "CREATE INDEX IF NOT EXISTS skipped_order ON cj.skipped (order_id, action_tracker_id, enterprise_id)",
    "CREATE INDEX IF NOT EXISTS skipped_age ON cj.skipped (skipped_at)",
    "CREATE INDEX IF NOT EXISTS quarantine_run ON cj.quarantine (run_id)",
    "CREATE INDEX IF NOT EXISTS skipped_run ON cj.skipped (run_id)",
    "CREATE INDEX IF NOT EXISTS verdicts_log_order ON cj.verdicts_log (order_id, action_tracker_id, enterprise_id, updated_at)",
    "CREATE INDEX IF NOT EXISTS planned_order ON cj.planned (order_id, action_tracker_id, enterprise_id)",
    "CREATE INDEX IF NOT EXISTS commissions_order ON cj.commissions (order_id, action_tracker_id, advertiser_id)",
    "CREATE INDEX IF NOT EXISTS commissions_reading ON cj.commissions (reading)",
    # What a report asks of thirty nights of records: the corrections of orders with a discount.
    "CREATE INDEX IF NOT EXISTS commissions_signs ON cj.commissions (reading) WHERE NOT original AND order_discount <> 0",
    "CREATE INDEX IF NOT EXISTS commissions_moved ON cj.commissions (moved_reading) WHERE moved_reading IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS commissions_status ON cj.commissions (status_reading) WHERE status_reading IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS commissions_due ON cj.commissions (locking_date) WHERE action_status IN ('new', 'extended')",
    # What a pre-lock review asks about and shows: what CJ locked of late, what was held back because of it, its own rows by what they cost.
    "CREATE INDEX IF NOT EXISTS commissions_locks ON cj.commissions (locking_date)",
    "CREATE INDEX IF NOT EXISTS quarantine_too_late ON cj.quarantine (quarantined_at) WHERE rule IN ('locked', 'closed')",
    f"CREATE INDEX IF NOT EXISTS prelock_orders_dearest ON cj.prelock_orders (review, ({_DEAREST_FOUND}), ({_LOCKS}), enterprise_id, action_tracker_id, order_id)",
    "CREATE INDEX IF NOT EXISTS prelock_orders_lost ON cj.prelock_orders (locking_date) WHERE finding = 'too_late'",
    "CREATE INDEX IF NOT EXISTS prelock_sweeps_review ON cj.prelock_sweeps (review)",
    "CREATE INDEX IF NOT EXISTS prelock_reviews_digest ON cj.prelock_reviews (digest)",
    # Days follow each other as records are appended: the least index there is tells the blocks of a day.
    "CREATE INDEX IF NOT EXISTS commissions_placed ON cj.commissions USING brin (event_date) WITH (autosummarize = on)",
    "CREATE UNIQUE INDEX IF NOT EXISTS commissions_id ON cj.commissions (commission_id)",
    "CREATE INDEX IF NOT EXISTS commissions_publisher ON cj.commissions (publisher_id, posting_date)",
    "CREATE INDEX IF NOT EXISTS commissions_publisher_locks ON cj.commissions (publisher_id, locking_date)",
    "CREATE INDEX IF NOT EXISTS partner_log_key ON cj.partner_log (publisher_id, row_key, version)",
    "CREATE INDEX IF NOT EXISTS partner_log_day ON cj.partner_log (publisher_id, occurred_at)",
    "CREATE INDEX IF NOT EXISTS partner_log_order ON cj.partner_log (order_id)",
    "CREATE INDEX IF NOT EXISTS partner_log_transaction ON cj.partner_log (transaction_id)",
    "CREATE INDEX IF NOT EXISTS partner_reconciliation_day ON cj.partner_reconciliation (publisher_id, happened_at)",
    "CREATE INDEX IF NOT EXISTS partner_reconciliation_unit ON cj.partner_reconciliation (publisher_id, unit)",
    "CREATE INDEX IF NOT EXISTS partner_log_commission ON cj.partner_log (commission_id) WHERE commission_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS partner_log_month ON cj.partner_log (publisher_id, month) WHERE month IS NOT NULL",
    # What the pages look for of partners: their differences in order, what to send them, and one order.
    (
        "CREATE INDEX IF NOT EXISTS partner_reconciliation_largest ON cj.partner_reconciliation "
        f"(publisher_id, ({_TURN}), ({_LARGEST}), ({_HAPPENED}), {_WHICH}) WHERE verdict NOT IN ('agree', 'awaiting')"
    ),
    (
        f"CREATE INDEX IF NOT EXISTS partner_reconciliation_to_send ON cj.partner_reconciliation (publisher_id, ({_CORRECTED}), order_id, unit) "
        "WHERE grain = 'order' AND verdict = 'restated_since'"
    ),
    "CREATE INDEX IF NOT EXISTS partner_reconciliation_order ON cj.partner_reconciliation (order_id)",
    "CREATE INDEX IF NOT EXISTS cases_case ON cj.cases (case_id)",
    "CREATE INDEX IF NOT EXISTS cases_number ON cj.cases (case_number)",
    "CREATE INDEX IF NOT EXISTS cases_closed ON cj.cases (state, closes_at)",
    "CREATE INDEX IF NOT EXISTS cases_settled ON cj.cases (state, settled_at)",
    f"CREATE INDEX IF NOT EXISTS cases_page ON cj.cases (({_CASE_RANK}), ({_CASE_DEAREST}), case_id)",
    "CREATE INDEX IF NOT EXISTS case_orders_case ON cj.case_orders (case_id, action_tracker_id, order_id, updated_at)",
    "CREATE INDEX IF NOT EXISTS case_orders_order ON cj.case_orders (order_id, action_tracker_id, enterprise_id, updated_at)",
    "CREATE INDEX IF NOT EXISTS case_events_case ON cj.case_events (case_id, event)",
    "CREATE INDEX IF NOT EXISTS notices_open ON cj.notices (kind, about) WHERE over_at IS NULL",
    # What the pages look for: a part of the breaks in each of their two orders, all of one run, all of one order, the last nights of what is held back.
    f"CREATE INDEX IF NOT EXISTS reconciliation_dearest ON cj.reconciliation (({_DEAREST}), ({_LOCKS}), {_KEY}) WHERE status IN ('mismatched', 'missing')",
    f"CREATE INDEX IF NOT EXISTS reconciliation_locking ON cj.reconciliation (({_LOCKS}), ({_DEAREST}), {_KEY}) WHERE status IN ('mismatched', 'missing')",
    "CREATE INDEX IF NOT EXISTS reconciliation_run ON cj.reconciliation (run_id)",
    "CREATE INDEX IF NOT EXISTS reconciliation_runs_checked ON cj.reconciliation_runs (checked_at)",
    "CREATE INDEX IF NOT EXISTS reconciliation_runs_run ON cj.reconciliation_runs (reconciliation_run_id)",
    "CREATE INDEX IF NOT EXISTS plans_run ON cj.plans (run_id)",
    "CREATE INDEX IF NOT EXISTS plans_number ON cj.plans (plan_number)",
    "CREATE INDEX IF NOT EXISTS approvals_run ON cj.approvals (run_id)",
    "CREATE INDEX IF NOT EXISTS nights_run ON cj.nights (run_id)",
    "CREATE INDEX IF NOT EXISTS nights_newest ON cj.nights (enterprise_id, plan_number)",
    "CREATE INDEX IF NOT EXISTS quarantine_age ON cj.quarantine (quarantined_at)",
    "CREATE INDEX IF NOT EXISTS acknowledgements_order ON cj.acknowledgements (order_id, action_tracker_id, enterprise_id)",
)
