{% from "fragments.sql" import same_order %}
{% from "page_fragments.sql" import is_open_break %}
-- The breaks that nothing explains: what CJ's support has to look at. `rules` name the verdicts and reasons that are a case. Bound to :since, the first of
-- the last nights, and :attempts, how often it has to have been sent. What is in a case that was filed is left out: in that very state always, in another
-- while the case is open.
INSERT INTO cj.case_breaks
SELECT r.*
FROM cj.reconciliation AS r
WHERE r.status IN ('mismatched', 'missing') AND {{ is_open_break("r") }} AND r.attempts >= :attempts
  AND (
{%- for rule in rules %}
      {{ "OR " if not loop.first }}r.status = '{{ rule.status }}' AND r.reason IN ('{{ rule.reasons | join("', '") }}')
{%- endfor %}

  )
  AND NOT EXISTS (
      SELECT 1 FROM cj.case_orders AS o
      INNER JOIN cj.cases AS c ON c.case_id = o.case_id
      WHERE {{ same_order("o", "r") }} AND c.state <> 'ready' AND (o.updated_at = r.updated_at OR c.state IN ('filed', 'answered'))
  )
