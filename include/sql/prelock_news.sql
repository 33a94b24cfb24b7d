-- What a pre-lock review found to differ and to be sent: for the next plan to decide anew, also where a plan waits to go:
-- that may be a rehearsal. Bound to :found_after, the newest plan there is.
INSERT INTO cj.replan_news (enterprise_id, action_tracker_id, order_id, updated_at, found_after)
SELECT f.enterprise_id, f.action_tracker_id, f.order_id, f.updated_at, :found_after
FROM cj.prelock_found AS f
WHERE f.finding IN ('{{ planned | join("', '") }}') AND f.updated_at IS NOT NULL
