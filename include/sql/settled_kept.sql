{% from "fragments.sql" import same_order, may_change, is_of_an_order %}
{%- set found = "cj.settled_orders" %}
{%- set is_its_record -%}
c.advertiser_id = {{ found }}.advertiser_id AND c.action_tracker_id = {{ found }}.action_tracker_id AND c.order_id = {{ found }}.order_id AND {{ is_of_an_order("c") }}
{%- endset %}
-- Of the orders in cj.settled_orders those are kept that are not settled for good before :before: CJ had not locked every record of it by then, a verdict on it may
-- change, something of it was sent, skipped or held back since, waits, is on its way or not known. Of all others nothing more is sent, whatever happens:
-- CJ's records say that they are locked. A statement for each reason, so that none is planned by what another may leave.
DELETE FROM cj.settled_orders
WHERE EXISTS (SELECT 1 FROM cj.reconciliation AS v WHERE {{ same_order("v", found) }} AND {{ may_change("v") }});

DELETE FROM cj.settled_orders
WHERE EXISTS (
    SELECT 1 FROM cj.submissions AS s
    WHERE {{ same_order("s", found) }} AND (s.submitted_at IS NULL OR s.submitted_at >= :before OR s.outcome = 'unknown' AND s.settled_at IS NULL)
);

DELETE FROM cj.settled_orders
WHERE NOT EXISTS (SELECT 1 FROM cj.commissions AS c WHERE {{ is_its_record }});

DELETE FROM cj.settled_orders
WHERE EXISTS (
    SELECT 1 FROM cj.commissions AS c
    WHERE {{ is_its_record }} AND (c.action_status NOT IN ('locked', 'closed') OR c.locking_date IS NULL OR c.locking_date >= :before)
);

DELETE FROM cj.settled_orders
WHERE EXISTS (SELECT 1 FROM cj.quarantine AS q WHERE {{ same_order("q", found) }} AND q.quarantined_at >= :before);

DELETE FROM cj.settled_orders
WHERE EXISTS (
    SELECT 1 FROM cj.skipped AS k
    WHERE {{ same_order("k", found) }} AND (k.skipped_at >= :before OR k.reason IN ('waiting', 'superseded'))
)
{%- for table in ("planned", "unjudged") %};

DELETE FROM cj.settled_orders
WHERE EXISTS (SELECT 1 FROM cj.{{ table }} AS o WHERE {{ same_order("o", found) }})
{%- endfor %}

