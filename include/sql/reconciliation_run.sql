{% from "fragments.sql" import same_order %}
-- One row about the orders that a round looked at, as cj.reconciliation has them after it. Bound to :reconciliation_run_id, :checked_at, :report.
INSERT INTO cj.reconciliation_runs (
    reconciliation_run_id, checked_at, orders, awaiting, late, matched, mismatched, missing, superseded, submitted_amount, matched_amount,
    commission_at_risk, posting_lag_p50_seconds, posting_lag_p90_seconds, posting_lag_p99_seconds, posting_lag_max_seconds,
    other_basis_matches_all, report
)
WITH looked_at AS (
    SELECT r.*, EXTRACT(EPOCH FROM (r.posted_at - r.submitted_at)) AS lag_seconds
    FROM cj.reconciliation AS r
    WHERE r.checked_at = :checked_at
),

-- Had CJ's sale amount the other meaning (net of, or gross of, the order discount), every amount that differs would be right.
other AS (
    SELECT
        COUNT(*) AS differing,
        SUM(CASE WHEN l.reason = 'amount' AND ABS(l.difference) = s.discount THEN 1 ELSE 0 END) AS explained
    FROM looked_at AS l
    INNER JOIN cj.submissions AS s
        ON {{ same_order("s", "l") }}
        AND s.updated_at = l.updated_at AND s.plan_number = l.plan_number
    -- A cancellation tells nothing about it: nothing is held either way.
    WHERE s.discount <> 0 AND l.status IN ('matched', 'mismatched') AND l.operation <> 'cancel' AND NOT l.within_band
)

SELECT
    :reconciliation_run_id, :checked_at,
    COUNT(*),
    COALESCE(SUM(CASE WHEN l.status = 'awaiting' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN l.status = 'late' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN l.status = 'matched' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN l.status = 'mismatched' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN l.status = 'missing' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN l.status = 'superseded' THEN 1 ELSE 0 END), 0),
    CAST(COALESCE(SUM(l.submitted_amount), 0) AS decimal(38, 10)),
    CAST(COALESCE(SUM(CASE WHEN l.status = 'matched' THEN l.submitted_amount ELSE 0 END), 0) AS decimal(38, 10)),
    CAST(COALESCE(SUM(CASE WHEN l.status IN ('mismatched', 'missing') THEN l.commission_at_risk END), 0) AS decimal(38, 10)),
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY l.lag_seconds),
    PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY l.lag_seconds),
    PERCENTILE_CONT(0.99) WITHIN GROUP (ORDER BY l.lag_seconds),
    CAST(MAX(l.lag_seconds) AS double precision),
    (SELECT o.differing > 0 AND o.differing = o.explained FROM other AS o),
    :report
FROM looked_at AS l
