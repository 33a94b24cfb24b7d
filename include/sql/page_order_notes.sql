{% from "page_fragments.sql" import holds %}
-- What somebody said of an order's breaks, and whether it is of the verdict that stands.
SELECT a.updated_at, a.status, a.reason, a.note, a.acknowledged_by, a.acknowledged_at, EXISTS (
    SELECT 1 FROM cj.reconciliation AS r WHERE {{ holds("a", "r") }}
) AS holds
FROM cj.acknowledgements AS a
WHERE a.order_id = :order_id AND a.action_tracker_id = :action_tracker_id AND a.enterprise_id = :enterprise_id
ORDER BY a.acknowledged_at
