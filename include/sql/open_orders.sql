{% from "fragments.sql" import is_missing, may_change %}
-- The orders to look at, each kind found by its own index: those of which something was sent or taken back since they were judged (cj.unjudged), whose
-- verdict may still change, or of which an unknown outcome is not settled. And every order ever sent of which a record was read, or moved, since the
-- orders of its advertiser were judged last: what CJ holds of it may be another state now, however long ago it was matched. So may what CJ holds of one of
-- which a record could not be kept. Bound to :judged_since, the earliest reading that any of the accounts was judged by: it tells the index where to begin.
-- What was sent of them is looked up once, for all kinds, by tracker and order id: DuckDB goes through everything that was ever sent to find it. Where another
-- enterprise has an order of both, it is judged besides, which says the same of it again.
-- With each, how many live requests it is in that may count: of the only one nothing is to be told from others, which is what costs.
INSERT INTO cj.open_orders (enterprise_id, action_tracker_id, order_id, attempts)
SELECT t.enterprise_id, t.action_tracker_id, t.order_id, COUNT(*)
FROM (
    SELECT u.action_tracker_id, u.order_id
    FROM cj.unjudged AS u
    UNION
    SELECT r.action_tracker_id, r.order_id
    FROM cj.reconciliation AS r
    INNER JOIN cj.accounts_now AS a USING (advertiser_id)
    WHERE {{ may_change("r") }}
    UNION
    SELECT s.action_tracker_id, s.order_id
    FROM cj.submissions AS s
    WHERE s.mode = 'live' AND s.outcome = 'unknown' AND s.settled_at IS NULL
{% for news in ("reading", "moved_reading") %}
    UNION
    SELECT c.action_tracker_id, c.order_id
    FROM cj.accounts_now AS a
    INNER JOIN cj.commissions AS c USING (advertiser_id)
    WHERE c.{{ news }} > :judged_since AND c.{{ news }} > a.judged_reading
{% endfor %}
    UNION
    SELECT r.action_tracker_id, r.order_id
    FROM cj.ledger_set_aside AS d
    INNER JOIN cj.accounts_now AS a USING (advertiser_id)
    INNER JOIN cj.reconciliation AS r
        ON r.advertiser_id = d.advertiser_id AND r.order_id = d.order_id AND r.action_tracker_id = COALESCE(d.action_tracker_id, r.action_tracker_id)
    WHERE r.status IN ('matched', 'mismatched', 'missing') AND {{ is_missing("d") }}
) AS k
INNER JOIN cj.submissions AS t USING (action_tracker_id, order_id)
LEFT JOIN cj.accounts_now AS a ON a.advertiser_id = t.advertiser_id
WHERE t.mode = 'live' AND t.outcome IN ('accepted', 'unknown')
GROUP BY t.enterprise_id, t.action_tracker_id, t.order_id
HAVING COUNT(a.advertiser_id) > 0
