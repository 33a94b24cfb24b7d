-- When the oldest live submission of :advertiser_id was sent that is to be given up now: of a call that had no answer since :hour_was_over, and of an order
-- that never posted since :deadline_was_over. What was sent before that was looked for when it was given up.
SELECT MIN(w.submitted_at) AS oldest
FROM (
    SELECT s.submitted_at
    FROM cj.submissions AS s
    WHERE s.advertiser_id = :advertiser_id AND s.mode = 'live' AND s.outcome = 'unknown' AND s.settled_at IS NULL
      AND s.submitted_at > :hour_was_over AND s.submitted_at <= :hour_is_over
    UNION ALL
    SELECT s.submitted_at
    FROM cj.submissions AS s
    LEFT JOIN cj.reconciliation AS r USING (enterprise_id, action_tracker_id, order_id, updated_at)
    WHERE s.advertiser_id = :advertiser_id AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
      AND s.submitted_at > :deadline_was_over AND s.submitted_at <= :deadline_is_over AND (r.status IS NULL OR r.status IN ('awaiting', 'late'))
) AS w
