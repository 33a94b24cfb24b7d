{#- Nothing in it would break a line of the file, or begin a line that means something else. -#}
{% macro id_fits(id) -%}
{% for sign in ("','", "'\"'", "' '", "CHR(9)", "CHR(10)", "CHR(13)") %}STRPOS({{ id }}, {{ sign }}) = 0 AND {% endfor %}SUBSTR({{ id }}, 1, 1) <> '&'
{%- endmacro %}
{% from "fragments.sql" import is_of_an_order, what_order_state_asks, set_aside_of, first_rule, word_of, same_order, sale_amount, is_converted %}
-- What a pre-lock review finds of the orders in cj.prelock_keys: the plan's decision on each (the plan's own statement, over cj.plan_input), what CJ holds,
-- its break, and whether it is put off. The rules are in include/restatements/prelock/rules.py, which says what each fact means.
-- Bound to what the plan is bound to, and to :near (an order that locks until then is near), :night_by (one that locks until then is locked before the next
-- night can mend it), :review, and :return_days (null: nobody said how long returns come).
INSERT INTO cj.prelock_found (
    review, enterprise_id, action_tracker_id, order_id, advertiser_id, finding, near, rule, reason, detail, change, placed_at, updated_at, locking_date,
    held_amount, wanted_amount, currency, held_cost, at_stake, publisher_id, publisher_name, verdict, verdict_reason, verdict_risk, verdict_of, extension
)
WITH decided AS (
{{ plan | indent(4) }}
),

records AS (
    SELECT {{ what_order_state_asks("c") }}, c.event_date, c.original
    FROM cj.commissions AS c /* few */
    INNER JOIN (SELECT DISTINCT advertiser_id, order_id FROM cj.prelock_keys) AS n USING (advertiser_id, order_id)
    WHERE {{ is_of_an_order("c") }}
),

held AS (
{% with records = "records" %}
{% include "order_state.sql" %}
{% endwith %}
),

{{ set_aside_of("cj.prelock_keys") }},

placed AS (
    SELECT advertiser_id, action_tracker_id, order_id, MIN(event_date) AS placed_at, MAX(CASE WHEN original THEN 0 ELSE 1 END) = 1 AS corrected
    FROM records
    GROUP BY advertiser_id, action_tracker_id, order_id
),

transactions AS (
    SELECT advertiser_id, order_id, SUM(CASE WHEN original THEN 1 ELSE 0 END) AS originals
    FROM records
    GROUP BY advertiser_id, order_id
),

corrections AS (
    SELECT DISTINCT s.enterprise_id, s.action_tracker_id, s.order_id
    FROM cj.submissions AS s
    INNER JOIN cj.prelock_keys AS k USING (enterprise_id, action_tracker_id, order_id)
    LEFT JOIN cj.reconciliation AS r ON {{ same_order("r", "s") }} AND r.updated_at = s.updated_at AND r.plan_number >= s.plan_number
    WHERE s.mode = 'live' AND s.operation IN ('restate', 'cancel') AND s.outcome IN ('accepted', 'unknown') AND s.settled_at IS NULL
      AND COALESCE(r.status, 'awaiting') <> 'missing'
),

breaks AS (
    SELECT b.enterprise_id, b.action_tracker_id, b.order_id, b.updated_at, b.status, b.reason, b.commission_at_risk
    FROM (
        SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.status, r.reason, r.commission_at_risk,
            ROW_NUMBER() OVER (PARTITION BY r.enterprise_id, r.action_tracker_id, r.order_id ORDER BY r.updated_at DESC) AS newest
        FROM cj.reconciliation AS r
        INNER JOIN cj.prelock_keys AS k USING (enterprise_id, action_tracker_id, order_id)
        WHERE r.status IN ('mismatched', 'missing')
    ) AS b
    WHERE b.newest = 1
),

facts AS (
    SELECT k.enterprise_id, k.action_tracker_id, k.order_id, k.named, k.advertiser_id, i.order_id IS NOT NULL AS given, h.order_id IS NOT NULL AS held, x.order_id IS NOT NULL AS refused,
        x.reason AS refused_reason, x.detail AS refused_detail, COALESCE(p.rule, '') AS decision,
        COALESCE({{ is_converted("i.currency", "i.functional_currency") }}, FALSE) AS converted, 
        COALESCE(h.items_mark = COALESCE(i.items_mark, 0) AND COALESCE(h.coupon, '') = COALESCE(i.coupon, ''), FALSE) AS same_basket,
        COALESCE(ABS(p.sales_moved) > CAST(:currency_band AS decimal(38, 10)) * p.held_sales, FALSE) AS clearly_another,
        a.order_id IS NOT NULL AS in_doubt, COALESCE(o.corrected, FALSE) OR COALESCE(h.reversals, 0) > 0 AS corrected,
        c.order_id IS NOT NULL AS correction_sent, COALESCE(h.lock_stage, 0) AS lock_stage,
        COALESCE(h.locking_method = 'FIXED_DATE', FALSE) AS fixed_date, COALESCE(h.validation_status = 'DECLINED', FALSE) AS declined,
        k.live AS live, COALESCE(h.locking_date <= :night_by, FALSE) AS locks_first,
        COALESCE(t.originals, 0) AS originals, k.named = k.order_id AND {{ id_fits("k.order_id") }} AS id_fits,
        COALESCE(p.held_sales, h.sale_amount, 0) AS held_sales, o.placed_at, i.updated_at, h.locking_date,
        h.sale_amount AS held_amount,
        CASE WHEN i.change_type = 'cancelled' THEN 0 ELSE {{ sale_amount("i.amount", "i.discount", "i.sale_amount_basis") }} END AS wanted_amount,
        i.currency, CAST(h.commission + h.cj_fee AS decimal(38, 10)) AS held_cost, p.at_stake,
        COALESCE(i.correction_reason, i.change_type) AS change, h.publisher_id, h.publisher_name,
        b.status AS verdict, b.reason AS verdict_reason, b.commission_at_risk AS verdict_risk, b.updated_at AS verdict_of,
        h.order_id IS NOT NULL AND h.locking_date <= :near AND h.locking_date > :process_by AS locks_near,
        h.order_id IS NOT NULL AND h.locking_date <= :near AND h.locking_date > :process_by AND CAST(:return_days AS bigint) IS NOT NULL
            AND o.placed_at > h.locking_date - COALESCE(CAST(:return_days AS bigint), 0) * INTERVAL '1' DAY AS returns_come
    FROM cj.prelock_keys AS k
    LEFT JOIN cj.plan_input AS i USING (enterprise_id, action_tracker_id, order_id)
    LEFT JOIN decided AS p ON p.position = i.position
    LEFT JOIN cj.prelock_refused AS x ON x.enterprise_id = k.enterprise_id AND x.action_tracker_id = k.action_tracker_id AND x.order_id = k.named
    LEFT JOIN held AS h ON h.advertiser_id = k.advertiser_id AND h.action_tracker_id = k.action_tracker_id AND h.order_id = k.order_id
    LEFT JOIN placed AS o ON o.advertiser_id = k.advertiser_id AND o.action_tracker_id = k.action_tracker_id AND o.order_id = k.order_id
    LEFT JOIN transactions AS t ON t.advertiser_id = k.advertiser_id AND t.order_id = k.order_id
    LEFT JOIN doubtful AS a ON a.advertiser_id = k.advertiser_id AND a.action_tracker_id = k.action_tracker_id AND a.order_id = k.order_id
    LEFT JOIN corrections AS c ON {{ same_order("c", "k") }}
    LEFT JOIN breaks AS b ON {{ same_order("b", "k") }}
),

found AS (
    SELECT f.*, {{ first_rule(findings) | indent(4) }} AS finding
    FROM facts AS f
)

SELECT :review, f.enterprise_id, f.action_tracker_id, f.named, f.advertiser_id, f.finding,
    COALESCE(f.locks_near, FALSE) OR f.finding IN ('too_late', 'send_now') OR f.verdict IS NOT NULL AS near,
    NULLIF(f.decision, '') AS rule, COALESCE(f.refused_reason, {{ word_of("f.decision", rules) }}, f.finding) AS reason, f.refused_detail,
    f.change, f.placed_at, f.updated_at, f.locking_date, f.held_amount, f.wanted_amount, f.currency, f.held_cost,
    -- What the warehouse does not have is paid for whole.
    CASE WHEN f.finding = 'not_in_warehouse' THEN f.held_cost WHEN f.finding IN ('agrees', 'on_its_way') THEN NULL ELSE f.at_stake END,
    f.publisher_id, f.publisher_name, f.verdict, f.verdict_reason, f.verdict_risk, f.verdict_of,
    CASE WHEN f.returns_come THEN {{ first_rule(extensions) | indent(4) }} END
FROM found AS f
