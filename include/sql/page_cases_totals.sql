-- How many cases are in each state, and what those cost of which that is known.
SELECT c.state, c.currency, COUNT(*) AS cases, SUM(c.orders) AS orders, COALESCE(SUM(c.at_risk), 0) AS at_risk, SUM(c.unpriced) AS unpriced
FROM cj.cases AS c
GROUP BY c.state, c.currency
ORDER BY c.state, c.currency
