{% from "fragments.sql" import is_missing %}
-- CJ's records that are not in the ledger, and those that are there with a change, each once.
SELECT
    COUNT(DISTINCT CASE WHEN missing THEN record END) AS set_aside,
    COUNT(DISTINCT CASE WHEN kept THEN record END) AS changed
FROM (
    SELECT a.kept, COALESCE(a.advertiser_id || ' ' || a.commission_id, a.raw) AS record, {{ is_missing("a") }} AS missing
    FROM cj.ledger_set_aside AS a
) AS told
