-- What each reading added to an action tracker, one row for each, appended. Their sums say whose a tracker is, whether CJ reports items under it, and
-- what share of a sale it costs. sale_amount, order_discount and commission (with CJ's fee) are of the records of which CJ says both.
CREATE TABLE IF NOT EXISTS cj.tracker_readings (
    advertiser_id text NOT NULL, action_tracker_id bigint NOT NULL, reading bigint NOT NULL, records bigint NOT NULL, with_items bigint NOT NULL,
    sale_amount decimal(38, 10), order_discount decimal(38, 10), commission decimal(38, 10)
);

INSERT INTO cj.tracker_readings (advertiser_id, action_tracker_id, reading, records, with_items, sale_amount, order_discount, commission)
SELECT
    c.advertiser_id, c.action_tracker_id, COALESCE(c.reading, 0), COUNT(*), SUM(CASE WHEN c.items_mark <> 0 THEN 1 ELSE 0 END),
    SUM(CASE WHEN c.cj_fee IS NOT NULL AND c.adv_commission_amount IS NOT NULL THEN COALESCE(c.sale_amount, 0) ELSE 0 END),
    -- A reversal may carry its discount without a minus; the sale's sign says what it does.
    SUM(CASE WHEN c.cj_fee IS NOT NULL AND c.adv_commission_amount IS NOT NULL
        THEN CASE WHEN c.sale_amount < 0 AND c.order_discount > 0 THEN -c.order_discount ELSE COALESCE(c.order_discount, 0) END ELSE 0 END),
    SUM(COALESCE(c.adv_commission_amount + c.cj_fee, 0))
FROM cj.commissions AS c
WHERE c.action_type NOT IN ('bonus', 'click', 'imp', 'perf_inc') AND NOT EXISTS (SELECT 1 FROM cj.tracker_readings)
GROUP BY c.advertiser_id, c.action_tracker_id, COALESCE(c.reading, 0);

-- The reading at which CJ was last seen to have moved a record's lock date.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS moved_reading bigint;

-- At what rate CJ converted a currency, as one round of verdicts showed it; appended. order_id and plan_number: of the one state that showed it, null
-- where several did.
CREATE TABLE IF NOT EXISTS cj.rates (
    advertiser_id text NOT NULL, functional_currency text NOT NULL, currency text NOT NULL, rate double precision NOT NULL, orders bigint NOT NULL,
    order_id text, plan_number bigint, reading bigint NOT NULL, seen_at timestamp with time zone NOT NULL
);

-- What CJ made of one unit of the order's currency, where it converted it.
ALTER TABLE cj.reconciliation ADD COLUMN IF NOT EXISTS rate double precision;

-- No where CJ converted the amount and nothing but the order itself says at what rate.
ALTER TABLE cj.reconciliation ADD COLUMN IF NOT EXISTS amount_checked boolean
