{% from "fragments.sql" import is_of_an_order %}
{% from "partner_fragments.sql" import publishers_figure, is_locked %}
-- What CJ owes :publisher_id in :currency, by advertiser and the month its records lock in, from :locks_since. Every record that CJ shows still is in one of
-- open, locked and payable: those of orders, and beside them bonuses and whatever else carries a commission.
INSERT INTO cj.partner_statements (
    publisher_id, partner, advertiser_id, locking_month, currency, reconciled_by, records, not_known, open, locked, payable, corrected_since, beside_orders,
    payable_on, payable_source, credit_from, credit_until, credit_source, run_id, checked_at
)
WITH mine AS (
    SELECT c.advertiser_id, COALESCE(k.label, 'not set') AS locking_month, k.payable_on, k.credit_from, k.credit_until,
        {{ publishers_figure("c", "pub_commission_amount") }} AS owed,
        CASE WHEN NOT {{ is_locked("c") }} THEN 'open' WHEN k.payable_on <= :now THEN 'payable' ELSE 'locked' END AS stands,
        c.original, CASE WHEN c.order_id <> '' AND {{ is_of_an_order("c") }} THEN 1 ELSE 0 END AS of_an_order
    FROM cj.commissions AS c
    LEFT JOIN cj.partner_calendar AS k ON k.begins = DATE_TRUNC('month', c.locking_date)
    WHERE c.publisher_id = :publisher_id AND (c.locking_date >= :locks_since OR c.locking_date IS NULL) AND c.gone_reading IS NULL
)

SELECT
    CAST(:publisher_id AS text), CAST(:partner AS text), m.advertiser_id, m.locking_month, CAST(:currency AS text), CAST(:reconciled_by AS text), COUNT(*),
    COUNT(*) - COUNT(m.owed), COALESCE(SUM(CASE WHEN m.stands = 'open' THEN m.owed END), 0), COALESCE(SUM(CASE WHEN m.stands = 'locked' THEN m.owed END), 0),
    COALESCE(SUM(CASE WHEN m.stands = 'payable' THEN m.owed END), 0), COALESCE(SUM(CASE WHEN NOT m.original THEN m.owed END), 0),
    COALESCE(SUM(CASE WHEN m.of_an_order = 0 THEN m.owed END), 0), MAX(m.payable_on), CAST(:payable_source AS text), MAX(m.credit_from), MAX(m.credit_until),
    CAST(:credit_source AS text), CAST(:run_id AS text), CAST(:now AS timestamp with time zone)
FROM mine AS m
GROUP BY m.advertiser_id, m.locking_month
