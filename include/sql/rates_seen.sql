-- What this round saw of the rates at which CJ converts: one row a currency, of the states that posted as they were sent. Of a single state its name is
-- kept, because it must not prove itself.
INSERT INTO cj.rates (advertiser_id, functional_currency, currency, rate, orders, order_id, plan_number, reading, seen_at)
SELECT
    v.advertiser_id, a.functional_currency, v.currency, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY v.rate), COUNT(*),
    CASE WHEN COUNT(*) = 1 THEN MAX(v.order_id) END, CASE WHEN COUNT(*) = 1 THEN MAX(v.plan_number) END, CAST(:reading AS bigint), :now
FROM cj.verdicts AS v
INNER JOIN cj.accounts_now AS a USING (advertiser_id)
WHERE v.status = 'matched' AND v.rate IS NOT NULL
GROUP BY v.advertiser_id, a.functional_currency, v.currency
