{#-
  What the plan and the verdicts must agree on, each told once. Arguments are SQL expressions or aliases.
-#}

{#- A record that counts: CJ shows it still, and an order makes such an action. Bonuses, clicks, impressions and performance incentives may carry an
    order's id: they are not of it. -#}
{% macro is_of_an_order(record) -%}
{{ record }}.gone_reading IS NULL AND {{ record }}.action_type NOT IN ('{{ no_orders | join("', '") }}')
{%- endmacro %}

{#- Two records of one order that say the same under two ids. It may be one that CJ shows under a new id, or an order that was restated back. -#}
{% macro are_alike(one, other) -%}
{{ one }}.commission_id <> {{ other }}.commission_id AND {{ one }}.action_type = {{ other }}.action_type
    AND COALESCE({{ one }}.sale_amount, 0) = COALESCE({{ other }}.sale_amount, 0) AND {{ one }}.items_mark = {{ other }}.items_mark
    AND COALESCE({{ one }}.order_discount, 0) = COALESCE({{ other }}.order_discount, 0) AND COALESCE({{ one }}.coupon, '') = COALESCE({{ other }}.coupon, '')
{%- endmacro %}

{#- A record of a lead. Where the same order id has a sale, the lead is another action. -#}
{% macro is_of_a_lead(record) -%}
{{ record }}.action_type IN ('sim_lead', 'item_lead')
{%- endmacro %}

{#- CJ's sale amount of an order of ours: gross of the order discount, or net of it. -#}
{% macro sale_amount(amount, discount, basis) -%}
CASE WHEN {{ basis }} = 'gross' THEN {{ amount }} ELSE {{ amount }} - COALESCE({{ discount }}, 0) END
{%- endmacro %}

{#- Whether CJ converts the order's currency. No currency is the advertiser's own. -#}
{% macro is_converted(currency, functional_currency) -%}
COALESCE({{ currency }}, {{ functional_currency }}) <> {{ functional_currency }}
{%- endmacro %}

{#- What CJ made of an order's currency. -#}
{% macro rate(held_sale_amount, sale_amount) -%}
CAST({{ held_sale_amount }} AS double precision) / CAST({{ sale_amount }} AS double precision)
{%- endmacro %}

{#- Of a few cents, rounding to the cent tells nothing about the rate: the larger orders say it. -#}
{% macro tells_the_rate(sale_amount, largest) -%}
2 * {{ sale_amount }} >= LEAST(20, {{ largest }})
{%- endmacro %}

{#- A converted amount is near the rate that other orders show, or within what CJ's rounding to the cent explains: this amount, its discount, and
    those the rate was read from. Null where no rate is known. -#}
{% macro near_the_rate(rate, middle_rate, held_sale_amount, sale_amount) -%}
(
    ABS({{ rate }} / NULLIF({{ middle_rate }}, 0) - 1) <= :currency_band
    OR ABS(CAST({{ held_sale_amount }} AS double precision) - CAST({{ sale_amount }} AS double precision) * {{ middle_rate }}) < 0.035
)
{%- endmacro %}

{#- Two relations. `rates`: what the orders of `telling` (advertiser_id, currency, rate) show. `rates_before`: what earlier rounds of this advertiser
    showed, or of another with the same currency, for `accounts` (advertiser_id, functional_currency). -#}
{% macro rates_shown(telling, accounts) -%}
rates AS (
    SELECT advertiser_id, currency, COUNT(*) AS orders, SUM(rate) AS rates_sum, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY rate) AS middle_rate
    FROM {{ telling }}
    GROUP BY advertiser_id, currency
),

rates_before AS (
    SELECT s.advertiser_id, s.currency,
        MAX(CASE WHEN s.age = 1 THEN s.rate END) AS rate_before, MAX(CASE WHEN s.age = 2 THEN s.rate END) AS another_rate_before,
        MAX(CASE WHEN s.age = 1 THEN s.order_id END) AS shown_by_order, MAX(CASE WHEN s.age = 1 THEN s.plan_number END) AS shown_by_plan
    FROM (
        SELECT k.advertiser_id, k.currency, k.order_id, k.plan_number, k.rate,
            ROW_NUMBER() OVER (PARTITION BY k.advertiser_id, k.currency ORDER BY k.own DESC, k.reading DESC, k.orders DESC, k.rate DESC) AS age
        FROM (
            SELECT a.advertiser_id, r.currency, r.order_id, r.plan_number, r.rate, r.reading, r.orders,
                CASE WHEN r.advertiser_id = a.advertiser_id THEN 1 ELSE 0 END AS own,
                -- Of one state, or of one round of an account, the newest.
                ROW_NUMBER() OVER (
                    PARTITION BY a.advertiser_id, r.advertiser_id, r.currency, r.order_id, r.plan_number, CASE WHEN r.order_id IS NULL THEN r.reading END
                    ORDER BY r.reading DESC
                ) AS turn
            FROM {{ accounts }} AS a
            INNER JOIN cj.rates AS r USING (functional_currency)
        ) AS k
        WHERE k.turn = 1
    ) AS s
    GROUP BY s.advertiser_id, s.currency
)
{%- endmacro %}

{#- What the other orders of this round show: their middle. `own` is what the order itself adds to `rates`, null where it adds nothing. Null where there is
    no other. -#}
{% macro rate_of_others(own) -%}
CASE WHEN {{ own }} IS NULL OR r.orders > 2 THEN r.middle_rate WHEN r.orders = 2 THEN r.rates_sum - {{ own }} END
{%- endmacro %}

{#- What an earlier round showed by anything but this very state. -#}
{% macro rate_before(order, plan_number) -%}
CASE WHEN b.shown_by_order = {{ order }} AND b.shown_by_plan = {{ plan_number }} THEN b.another_rate_before ELSE b.rate_before END
{%- endmacro %}

{#- Near either: of two orders that disagree, an earlier round tells which is right; and an old rate does not make wrong what today's orders agree on.
    Never null. -#}
{% macro near_a_rate(of, rate, held_sale_amount, sale_amount) -%}
(
    COALESCE({{ near_the_rate(rate, of ~ ".rate_of_others", held_sale_amount, sale_amount) }}, FALSE)
    OR COALESCE({{ near_the_rate(rate, of ~ ".rate_before", held_sale_amount, sale_amount) }}, FALSE)
)
{%- endmacro %}

{#- CJ holds nothing of the order any more: what it held was taken back, cancelled or restated to nothing. The two look alike. Of an order that never was of
    anything nothing is taken back, however often its records are posted. -#}
{% macro holds_nothing(reversals, sale_amount, discount, items_mark) -%}
{{ reversals }} > 0 AND {{ sale_amount }} = 0 AND {{ discount }} = 0 AND {{ items_mark }} = 0
{%- endmacro %}

{#- Not all of what CJ posted can be seen yet: a reversal without the new state that is posted with it, or a new state and a sum that is another one.
    Both halves of a pair, and what was posted before it, are to be seen by :pairs_since; what still does not add up then is a correction by file, one
    record for good. -#}
{% macro is_half_shown(held) -%}
{{ held }}.posted_at > :pairs_since AND (
    {{ held }}.sale_amount < 0 OR {{ held }}.newest_sale_amount >= 0 AND {{ held }}.newest_sale_amount <> {{ held }}.sale_amount
    OR {{ held }}.sale_amount = 0 AND {{ held }}.order_discount = 0 AND {{ held }}.items_mark = 0 AND 2 * {{ held }}.reversals >= {{ held }}.records
)
{%- endmacro %}

{#- What CJ pays commission on: its sale amount net of the order discount. -#}
{% macro paid_on(sale_amount, discount, basis) -%}
CASE WHEN {{ basis }} = 'gross' THEN {{ sale_amount }} - {{ discount }} ELSE {{ sale_amount }} END
{%- endmacro %}

{#- CJ pays nothing on the order. Of a sale below 1.00 the commission may be less than half a cent: nothing paid says nothing there. -#}
{% macro pays_nothing(held_sale_amount, held_discount, basis, commission, cj_fee) -%}
{{ paid_on(held_sale_amount, held_discount, basis) }} >= 1 AND {{ commission }} = 0 AND {{ cj_fee }} = 0
{%- endmacro %}

{#- An estimate, rounded to the cent: commission and fee on the part of the sale that is wrong, at what this order costs, or else at the share of a
    sale that its tracker costs. Amounts are what commission is paid on, in the advertiser's currency. Null where it is not known. -#}
{% macro cost_of_difference(held_paid_on, paid_on, commission, cj_fee, share) -%}
{% set cost -%}
ABS(CAST({{ held_paid_on }} AS double precision) - CAST({{ paid_on }} AS double precision)) * CASE
        WHEN {{ held_paid_on }} = {{ paid_on }} THEN 0
        WHEN {{ held_paid_on }} > 0 AND {{ commission }} IS NOT NULL AND {{ cj_fee }} IS NOT NULL
            THEN CAST({{ commission }} + {{ cj_fee }} AS double precision) / CAST({{ held_paid_on }} AS double precision)
        ELSE {{ share }}
    END
{%- endset -%}
CAST(ROUND(CAST(CASE WHEN {{ cost }} > 1e27 THEN 1e27 ELSE {{ cost }} END AS decimal(38, 10)), 2) AS decimal(38, 10))
{%- endmacro %}

{#- Anything would be paid on `order` as the warehouse has it: of nothing, it is all one whether it is accepted. -#}
{% macro pays_something(order) -%}
{{ order }}.amount - COALESCE({{ order }}.discount, 0) > 0
{%- endmacro %}

{#- What commission would be paid on, in the advertiser's currency, were `order` at CJ as the warehouse has it. -#}
{% macro wanted_paid_on(order, cancelled, rate) -%}
CASE
    WHEN {{ cancelled }} THEN 0
    WHEN {{ order }}.converted THEN CAST({{ order }}.amount - COALESCE({{ order }}.discount, 0) AS double precision) * {{ rate }}
    ELSE {{ order }}.amount - COALESCE({{ order }}.discount, 0)
END
{%- endmacro %}

{#- What paying for the wrong state of `order` costs: of a cancellation all of its commission and fee, to the last digit, where CJ says them. Not known
    is null, and never nothing. -#}
{% macro cost_of_wrong_state(order, cancelled) -%}
CASE
    WHEN {{ cancelled }} AND {{ order }}.held_sale_amount <> 0 AND {{ order }}.commission IS NOT NULL AND {{ order }}.cj_fee IS NOT NULL
        THEN CAST({{ order }}.commission + {{ order }}.cj_fee AS decimal(38, 10))
    ELSE {{ cost_of_difference(order ~ ".held_paid_on", order ~ ".paid_on", order ~ ".commission", order ~ ".cj_fee", order ~ ".share") }}
END
{%- endmacro %}

{#- What sending `order` adds to the sales that commission is paid on, in the advertiser's currency; below zero it takes back. To the last digit where
    CJ converts nothing. Not known is null. -#}
{% macro sales_moved(order, cancelled) -%}
{% set converted -%}
CAST({{ order }}.paid_on AS double precision) - CAST({{ order }}.held_paid_on AS double precision)
{%- endset -%}
CASE
    WHEN {{ cancelled }} THEN CAST(0 - {{ order }}.held_paid_on AS decimal(38, 10))
    WHEN NOT {{ order }}.converted THEN CAST({{ order }}.amount - COALESCE({{ order }}.discount, 0) - {{ order }}.held_paid_on AS decimal(38, 10))
    ELSE CAST(ROUND(CAST(CASE WHEN ABS({{ converted }}) > 1e27 THEN 1e27 ELSE {{ converted }} END AS decimal(38, 10)), 2) AS decimal(38, 10))
END
{%- endmacro %}

{#- Two rows are of one order, where no USING can say so. -#}
{% macro same_order(one, other) -%}
{{ one }}.enterprise_id = {{ other }}.enterprise_id AND {{ one }}.action_tracker_id = {{ other }}.action_tracker_id AND {{ one }}.order_id = {{ other }}.order_id
{%- endmacro %}

{#- The first rule whose condition holds; null where none does. -#}
{% macro first_rule(rules) -%}
CASE
{%- for rule in rules %}
    WHEN {{ rule.condition }} THEN '{{ rule.id }}'
{%- endfor %}
END
{%- endmacro %}

{#- The word that a rule stands for. -#}
{% macro word_of(rule, rules) -%}
CASE {{ rule }}
{%- for told in rules if told.word %} WHEN '{{ told.id }}' THEN '{{ told.word }}'{% endfor %} END
{%- endmacro %}

{#- What order_state.sql asks of a record, and what is asked of the same records beside it. Named, because a warehouse may write all of them down and read
    them again. -#}
{% macro what_order_state_asks(record) -%}
{% for column in ("advertiser_id", "action_tracker_id", "order_id", "commission_id", "action_type", "action_status", "posting_date", "locking_date", "locking_method",
    "validation_status", "correction_reason", "publisher_id", "publisher_name", "sale_amount", "order_discount", "order_discount_orig_currency",
    "adv_commission_amount", "cj_fee", "coupon", "items_mark", "reading", "gone_reading") %}{{ record }}.{{ column }}{{ ", " if not loop.last }}{% endfor %}
{%- endmacro %}

{#- Relations: the records of the wanted orders, what CJ holds of each, which of them it holds under another action tracker, and of which a record
    could not be kept. Joins that are said to find few, DuckDB looks up (include/warehouse/sqltext.py, found_by_row). -#}
{% macro what_cj_holds(wanted) -%}
named AS (SELECT DISTINCT advertiser_id, order_id FROM {{ wanted }}),

records AS (
    SELECT {{ what_order_state_asks("c") }}
    FROM cj.commissions AS c /* few */
    INNER JOIN named AS n USING (advertiser_id, order_id)
    WHERE {{ is_of_an_order("c") }}
),

held AS (
{% with records = "records" %}
{% include "order_state.sql" %}
{% endwith %}
),

elsewhere AS (
    SELECT DISTINCT w.advertiser_id, w.action_tracker_id, w.order_id
    FROM {{ wanted }} AS w
    INNER JOIN held AS h
        ON h.advertiser_id = w.advertiser_id AND h.order_id = w.order_id AND h.action_tracker_id <> w.action_tracker_id
),

{{ set_aside_of(wanted) }}
{%- endmacro %}

{#- One relation: the wanted orders of which a record could not be kept, so that it is not known what they come to at CJ. -#}
{% macro set_aside_of(wanted) -%}
doubtful AS (
    SELECT DISTINCT w.advertiser_id, w.action_tracker_id, w.order_id
    FROM {{ wanted }} AS w
    INNER JOIN cj.ledger_set_aside AS a USING (advertiser_id, order_id)
    WHERE COALESCE(a.action_tracker_id, w.action_tracker_id) = w.action_tracker_id AND {{ is_missing("a") }}
)
{%- endmacro %}

{#- What the readings so far say of every action tracker, and of an order's: `t` is that of its advertiser, `o` that of anybody. items_since: the first
    reading in which CJ reported items. Of an order whose records are older it is not known which CJ holds. -#}
{% macro trackers() -%}
trackers AS (
    SELECT advertiser_id, action_tracker_id, MIN(CASE WHEN with_items > 0 THEN reading END) AS items_since, SUM(sale_amount) AS sale_amount, SUM(order_discount) AS order_discount,
        SUM(commission) AS commission
    FROM cj.tracker_readings
    GROUP BY advertiser_id, action_tracker_id
),

owned_trackers AS (SELECT DISTINCT action_tracker_id AS owned_tracker FROM trackers)
{%- endmacro %}

{#- What share of what it is paid on an action tracker costs, in commission and fee. Null where nothing is known of it. -#}
{% macro share_of_tracker(basis) -%}
CASE WHEN {{ paid_on("t.sale_amount", "t.order_discount", basis) }} > 0
    THEN CAST(t.commission AS double precision) / CAST({{ paid_on("t.sale_amount", "t.order_discount", basis) }} AS double precision) END
{%- endmacro %}

{#- Of a row of cj.reconciliation: time alone may change the verdict. A break of an order that was judged after its lock date stays what it is, until a
    record of it is read or moved, or something of it is sent. -#}
{% macro may_change(verdict) -%}
(
    {{ verdict }}.status IN ('awaiting', 'late')
    OR {{ verdict }}.status IN ('mismatched', 'missing') AND ({{ verdict }}.locking_date IS NULL OR {{ verdict }}.locking_date > {{ verdict }}.checked_at)
)
{%- endmacro %}

{#- Of a row of cj.ledger_set_aside: its record is not in the ledger, and no later reading has brought it. The few that were set aside are named a second time so
    that DuckDB looks for them alone: it would make a table of all records to ask. -#}
{% macro is_missing(aside) -%}
NOT {{ aside }}.kept AND NOT EXISTS (
    SELECT 1 FROM cj.commissions AS c
    WHERE c.commission_id = {{ aside }}.commission_id AND c.commission_id IN (SELECT s.commission_id FROM cj.ledger_set_aside AS s)
)
{%- endmacro %}

{#- A row of cj.approvals is about the plan of a row of cj.nights. What was asked before that plan was made is about it only where the same plan was approved: it may
    be sent by that. -#}
{% macro is_about(question, night) -%}
{{ question }}.run_id = {{ night }}.run_id AND {{ question }}.plan_digest = COALESCE({{ night }}.plan_digest, {{ question }}.plan_digest)
    AND ({{ question }}.question > COALESCE({{ night }}.questions_before, 0) OR {{ question }}.answer = 'approved')
{%- endmacro %}

{#- A row of cj.nights is of a plan that gave way to another of its run: it is what that had sent. -#}
{% macro was_given_up(night) -%}
EXISTS (SELECT 1 FROM cj.plans AS p WHERE p.run_id = {{ night }}.run_id AND p.plan_number > {{ night }}.plan_number)
{%- endmacro %}
