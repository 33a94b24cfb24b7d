{% from "partner_fragments.sql" import is_to_send, corrected %}
-- The transactions of :publisher_id that were restated since the partner saw them: as it has them, and as CJ holds them.
SELECT r.order_id, r.transaction_id, r.happened_at AS sold_on, r.before_sale_amount AS old_sale_amount, r.cj_sale_amount AS new_sale_amount,
    r.before_payout AS old_payout, r.cj_payout AS new_payout, r.cj_payout - r.before_payout AS change_of_payout, r.currency, r.correction_reason AS reason,
    r.corrected_at, r.locking_date AS locks_on, r.joined_by, r.unit, {{ corrected("r") }} AS corrected
FROM cj.partner_reconciliation AS r
WHERE {{ is_to_send("r") }}
{% if "after" in asked %}
  AND ({{ corrected("r") }}, r.order_id, r.unit) > (:after_corrected, :after_order, :after_unit)
{% endif %}
ORDER BY {{ corrected("r") }}, r.order_id, r.unit
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
