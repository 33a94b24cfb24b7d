{% from "fragments.sql" import is_of_an_order %}
{% from "page_fragments.sql" import is_open_break %}
-- The orders that a pre-lock review asks about, of one account: every order that is open at CJ, whether we ever sent it or not; those that were held back
-- because CJ had locked or closed them, or that were too late in the review before; those that CJ locked since then, or ahead of time; and those that have a break.
-- Bound to :advertiser_id, :enterprise_id, :too_late_since, :locked_since and :since (of breaks).
SELECT :advertiser_id AS advertiser_id, :enterprise_id AS enterprise_id, k.action_tracker_id, k.order_id
FROM (
    SELECT c.action_tracker_id, c.order_id
    FROM cj.commissions AS c
    WHERE c.action_status IN ('new', 'extended') AND c.advertiser_id = :advertiser_id AND c.order_id IS NOT NULL AND c.order_id <> ''
      AND {{ is_of_an_order("c") }}
    UNION
    SELECT c.action_tracker_id, c.order_id
    FROM cj.commissions AS c
    WHERE c.locking_date >= :locked_since AND c.advertiser_id = :advertiser_id AND c.order_id IS NOT NULL AND c.order_id <> ''
      AND {{ is_of_an_order("c") }}
    UNION
    SELECT o.action_tracker_id, o.order_id
    FROM cj.prelock_orders AS o
    WHERE o.finding = 'too_late' AND o.locking_date >= :too_late_since AND o.advertiser_id = :advertiser_id
    UNION
    SELECT q.action_tracker_id, q.order_id
    FROM cj.quarantine AS q
    WHERE q.rule IN ('locked', 'closed') AND q.quarantined_at >= :too_late_since AND q.enterprise_id = :enterprise_id
    UNION
    SELECT r.action_tracker_id, r.order_id
    FROM cj.reconciliation AS r
    WHERE r.status IN ('mismatched', 'missing') AND r.enterprise_id = :enterprise_id AND {{ is_open_break("r") }}
) AS k
ORDER BY k.order_id, k.action_tracker_id
