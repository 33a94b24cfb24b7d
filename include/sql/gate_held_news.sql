-- Of which orders a record of :advertiser_id was read, or moved by CJ, after :until, the last reading that cj.held_open counts.
INSERT INTO cj.held_news (advertiser_id, action_tracker_id, order_id)
SELECT f.advertiser_id, f.action_tracker_id, f.order_id
FROM (
{% for moved in ("reading", "moved_reading", "status_reading") %}
    SELECT c.advertiser_id, c.action_tracker_id, c.order_id FROM cj.commissions AS c WHERE c.{{ moved }} > :until
    {{ "UNION" if not loop.last }}
{% endfor %}
) AS f
WHERE f.advertiser_id = :advertiser_id AND f.order_id IS NOT NULL
