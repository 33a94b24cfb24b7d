{% from "partner_fragments.sql" import is_to_send %}
-- What the transactions to send to :publisher_id come to.
SELECT r.currency, COUNT(*) AS found, SUM(r.before_payout) AS old_payout, SUM(r.cj_payout) AS new_payout
FROM cj.partner_reconciliation AS r
WHERE {{ is_to_send("r") }}
GROUP BY r.currency
ORDER BY r.currency
