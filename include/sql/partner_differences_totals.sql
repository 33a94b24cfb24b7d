{% from "partner_fragments.sql" import wanted_difference %}
-- What the rows of a list of differences come to, by grain, verdict, rule and currency.
SELECT r.grain, r.verdict, r.rule, r.currency, COUNT(*) AS found, SUM(r.difference) AS difference
FROM cj.partner_reconciliation AS r
WHERE {{ wanted_difference("r", asked, at_rest) }}
GROUP BY r.grain, r.verdict, r.rule, r.currency
ORDER BY r.grain, r.verdict, r.rule, r.currency
