-- What a review says cannot be mended any more, by the month it locked in, why, and what kind of change it missed. Bound to :review.
SELECT o.advertiser_id, COALESCE(SUBSTR(CAST(CAST(o.locking_date AT TIME ZONE 'UTC' AS date) AS text), 1, 7), '') AS month, o.reason, COALESCE(o.change, '') AS change,
    COUNT(*) AS orders, CAST(SUM(o.at_stake) AS decimal(38, 10)) AS cost, COUNT(*) - COUNT(o.at_stake) AS unpriced
FROM cj.prelock_orders AS o
WHERE o.review = :review AND o.finding = 'too_late'
GROUP BY o.advertiser_id, COALESCE(SUBSTR(CAST(CAST(o.locking_date AT TIME ZONE 'UTC' AS date) AS text), 1, 7), ''), o.reason, COALESCE(o.change, '')
ORDER BY 2 DESC, o.advertiser_id, o.reason, 4
