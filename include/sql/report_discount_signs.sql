-- How CJ's reversals carry the order's discount, in what was read since :since: no source says whether it has a minus. Both are read (order_state.sql).
SELECT
    COALESCE(SUM(CASE WHEN order_discount < 0 THEN 1 ELSE 0 END), 0) AS with_minus,
    COALESCE(SUM(CASE WHEN order_discount > 0 THEN 1 ELSE 0 END), 0) AS without_minus
FROM cj.commissions
WHERE NOT original AND order_discount <> 0 AND (sale_amount < 0 OR items_mark < 0)
  AND reading >= (SELECT MIN(l.reading) FROM cj.ledger_reads AS l WHERE l.complete_until >= :since)
