-- Orders with this id, whoever has heard of them.
SELECT found.enterprise_id, found.action_tracker_id, found.order_id, MAX(found.last_at) AS last_at
FROM (
    SELECT s.enterprise_id, s.action_tracker_id, s.order_id, s.submitted_at AS last_at FROM cj.submissions AS s WHERE s.order_id = :id
    UNION ALL
    SELECT q.enterprise_id, q.action_tracker_id, q.order_id, q.quarantined_at FROM cj.quarantine AS q WHERE q.order_id = :id
    UNION ALL
    SELECT k.enterprise_id, k.action_tracker_id, k.order_id, k.skipped_at FROM cj.skipped AS k WHERE k.order_id = :id
    UNION ALL
    SELECT p.enterprise_id, p.action_tracker_id, p.order_id, p.planned_at FROM cj.planned AS p WHERE p.order_id = :id
    UNION ALL
    SELECT COALESCE(a.enterprise_id, ''), c.action_tracker_id, c.order_id, c.posting_date
    FROM cj.commissions AS c
    LEFT JOIN (SELECT DISTINCT enterprise_id, advertiser_id FROM cj.account_states) AS a ON a.advertiser_id = c.advertiser_id
    WHERE c.order_id = :id
) AS found
WHERE found.enterprise_id IS NOT NULL AND found.action_tracker_id IS NOT NULL
GROUP BY found.enterprise_id, found.action_tracker_id, found.order_id
ORDER BY MAX(found.last_at) DESC, found.enterprise_id, found.action_tracker_id
LIMIT 50
