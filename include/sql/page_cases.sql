{% from "page_fragments.sql" import case_rank, case_dearest %}
-- Cases as a page lists them: what waits for a person first, then what waits for CJ, each dearest first; what comes before a page is passed over by its last row's key.
SELECT c.*, {{ case_rank("c") }} AS place, {{ case_dearest("c") }} AS dearest
FROM cj.cases AS c
WHERE c.case_id IS NOT NULL
{% if "state" in asked %}
  AND c.state = :state
{% endif %}
{% if "enterprise" in asked %}
  AND c.enterprise_id = :enterprise
{% endif %}
{% if "case" in asked %}
  AND c.case_id = :case
{% endif %}
{% if "after" in asked %}
  AND ({{ case_rank("c") }}, {{ case_dearest("c") }}, c.case_id) > (:after_place, :after_dearest, :after_case)
{% endif %}
ORDER BY {{ case_rank("c") }}, {{ case_dearest("c") }}, c.case_id
{% if "rows" in asked %}
LIMIT :rows
{% endif %}
