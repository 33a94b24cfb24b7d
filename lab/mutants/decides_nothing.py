"""Mistakes that change no answer, each with the reason why none can: they are not planted. A test of its own holds that each still stands there."""

from __future__ import annotations

from lab.mutants.mutation import Mutation

DECIDES_NOTHING: dict[tuple[str, str, str], str] = {
    ("include/restatements/rules/verdicts.py", 'VerdictRule("held_as_sent"', "STATUSES: reason_lost asked before held_as_sent"):
        "something differs of the one, nothing of the other",
    ("include/sql/plan_facts.sql", "AND s.outcome IN ('accepted', 'unknown') AND s.settled_at IS NULL THEN 1 ELSE 0 END)", "1 → 2"):
        "only whether there is any is asked",
    ("include/sql/plan_facts.sql", "THEN 1 ELSE 0 END) OVER (PARTITION BY i.position) AS emptied", "1 → 2"): "only whether there is any is asked",
    ("include/sql/plan_facts.sql", "INNER JOIN cj.submissions AS s", "INNER JOIN → LEFT JOIN"): "the mode is asked of what was joined",
    ("include/sql/plan_facts.sql", "FROM sent AS s INNER JOIN input AS i", "INNER JOIN → LEFT JOIN"): "what was sent is read of orders of the input alone",
    ("include/sql/plan_facts.sql", "    INNER JOIN (", "INNER JOIN → LEFT JOIN"): "without any order of CJ's own it is not known whether they meet, which is no",
    ("include/sql/plan_facts.sql", "    INNER JOIN input AS i USING (position)", "INNER JOIN → LEFT JOIN"): "likewise",
    ("include/sql/plan_facts.sql", "s.plan_number > another.plan_number", "> → >="): "one plan sends an order once, so its number is of one content",
    ("include/sql/plan_facts.sql", "FALSE) AS half_shown, d.order_id", "FALSE → TRUE"): "null only of an order CJ does not know, of which nothing is held anyway",
    ("include/sql/plan_facts.sql", "AS basket_differs,", "FALSE → TRUE"): "null only of an order CJ does not know, which is not held so whatever it says",
    ("include/sql/verdicts.sql", "AS only_reason_differs", "FALSE → TRUE"): "where nothing differs it has matched by then, or may be the state before",
    ("include/sql/verdict_facts.sql", "MAX(n.{{ column }}) OVER ({{ of_its_state }})", "MAX( → MIN("): "attempts of one content are alike in it",
    ("include/sql/verdict_facts.sql", "INNER JOIN records AS r USING", "INNER JOIN → LEFT JOIN"): "what was joined is asked for its posting date",
    ("include/sql/verdict_facts.sql", "MAX(CASE WHEN COALESCE(r.reading, 0) > w.known_reading", "0 → 1"):
        "a record without the number of a reading is left out before",
    ("include/sql/verdict_facts.sql", "INNER JOIN records AS n USING", "INNER JOIN → LEFT JOIN"): "what was joined is asked for its posting date",
    ("include/sql/verdict_facts.sql", "MAX(CASE WHEN COALESCE(n.reading, 0) > c.known_reading", "0 → 1"):
        "a record without the number of a reading is left out before",
    ("include/sql/verdict_facts.sql", "COALESCE(m.since_before, 0) < 2", "0 → 1"): "only whether there are two of them is asked",
    ("include/sql/replan_keys.sql", "plan_number, 1 AS weight", "1 → 2"): "more than that of what was held back, as one is",
    ("include/sql/replan_keys.sql", "COALESCE(c.reading, 0) > COALESCE(p.reading, -1)", "1 → 2"): "no reading is below nothing",
    ("include/sql/replan_keys.sql", "c.moved_reading > COALESCE(p.reading, -1)", "1 → 2"): "no reading is below nothing",
    ("include/sql/replan_keys.sql", "d.reading > COALESCE(p.reading, -1)", "1 → 2"): "no reading is below nothing",
    ("include/sql/replan_keys.sql", "COALESCE(l.reading, 0) > COALESCE(p.reading, -1)", "1 → 2"): "no reading is below nothing",
    ("include/sql/replan_keys.sql", "INNER JOIN cj.reconciliation AS r", "INNER JOIN → LEFT JOIN"): "the verdict is asked of what was joined",
    ("include/sql/replan_news.sql", "INNER JOIN cj.{{ words }} AS w", "INNER JOIN → LEFT JOIN"): "what was said is asked of what was joined",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND (c.reading > :heard_until", "> → >="): "replan_keys.sql is asked about more, and says of it what it says",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND (c.reading > :heard_until", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND (c.reading > :heard_until", "< → <="): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND (c.reading > :heard_until", "0 → 1"): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND c.moved_reading > ", "> → >="): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND c.moved_reading > ", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "INNER JOIN cj.{{ words }} AS w ON", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND d.reading > ", "> → >="): "likewise",
    ("include/sql/replan_news.sql", "WHERE {{ of_these }} AND d.reading > ", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "WHERE w.rule = 'older_than_the_ledger' AND", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "      AND EXISTS (", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "WHERE l.kind = 'first' AND (l.reading > :heard_until", "> → >="): "likewise",
    ("include/sql/replan_news.sql", "WHERE l.kind = 'first' AND (l.reading > :heard_until", "AND → OR"): "likewise",
    ("include/sql/replan_news.sql", "WHERE l.kind = 'first' AND (l.reading > :heard_until", "< → <="): "likewise",
    ("include/sql/replan_news.sql", "WHERE l.kind = 'first' AND (l.reading > :heard_until", "0 → 1"): "likewise",
    ("include/sql/ledger_unseen.sql", "LIMIT 1", "1 → 2"): "one is as good as two",
    ("include/sql/open_orders.sql", "INNER JOIN cj.commissions AS c USING", "INNER JOIN → LEFT JOIN"): "the reading is asked of what was joined",
    ("include/sql/open_orders.sql", "INNER JOIN cj.submissions AS t USING", "INNER JOIN → LEFT JOIN"): "the mode is asked of what was joined",
    ("include/sql/open_orders.sql", "INNER JOIN cj.reconciliation AS r", "INNER JOIN → LEFT JOIN"): "the verdict is asked of what was joined",
    ("include/sql/open_orders.sql", "WHERE c.{{ news }} > :judged_since", "> → >="): "it only tells the index where to begin",
    ("include/sql/ledger_due.sql", "INNER JOIN cj.commissions AS c USING", "INNER JOIN → LEFT JOIN"): "the record's status is asked of what was joined",
    ("include/sql/ledger_alike.sql", "    INNER JOIN cj.commissions AS", "INNER JOIN → LEFT JOIN"): "what is not there is alike nothing",
    ("include/sql/ledger_alike.sql", "    INNER JOIN of_breaks AS c USING", "INNER JOIN → LEFT JOIN"): "what is not there is alike nothing",
    ("include/sql/order_state.sql", 'ORDER BY CASE WHEN {{ is_of_a_lead("r") }} THEN 1', "1 → 2"): "only which of the two comes first is asked",
    ("include/sql/order_state.sql", "CASE WHEN takes_back AND {{ column }} > 0", "> → >="): "nothing taken back is nothing",
    ("include/sql/order_state.sql", "THEN 0 ELSE 1 END) OVER ({{ newest_first }}) AS has_sale", "1 → 2"): "only whether it is nothing is asked",
    ("include/sql/fragments.sql", "MAX(CASE WHEN s.age = 1 THEN", "MAX( → MIN("): "one round alone is the newest",
    ("include/sql/fragments.sql", "CASE WHEN r.advertiser_id = a.advertiser_id THEN 1", "1 → 2"): "only which of the two comes first is asked",
    ("include/sql/fragments.sql", "INNER JOIN cj.rates AS r USING", "INNER JOIN → LEFT JOIN"): "a rate of no currency is joined to nothing",
    ("include/sql/fragments.sql", "WHEN {{ held_paid_on }} = {{ paid_on }} THEN 0", "0 → 1"): "it is multiplied by a difference of nothing",
    ("include/sql/fragments.sql", "CASE WHEN {{ cost }} > 1e27 THEN 1e27", "> → >="): "at the bound itself both ways come to the same",
    ("include/sql/fragments.sql", "INNER JOIN named AS n USING", "INNER JOIN → LEFT JOIN"): "what is held of other orders is joined to nothing",
    ("include/sql/fragments.sql", "INNER JOIN cj.ledger_set_aside AS a USING", "INNER JOIN → LEFT JOIN"): "what was set aside is asked whether it was kept",
    ("include/sql/order_state.sql", "MAX(CASE WHEN age = 1 THEN", "MAX( → MIN("): "one record alone is the newest",
    ("include/sql/verdicts_apply.sql", "    INNER JOIN cj.verdicts AS v", "INNER JOIN → LEFT JOIN"): "it only makes less work of what is joined to the verdicts below",
    ("include/sql/reconciliation_run.sql", "INNER JOIN cj.submissions AS s", "INNER JOIN → LEFT JOIN"): "the discount is asked of what was joined",
    ("include/sql/ledger_known.sql", "HAVING COUNT(*) > 1", "> → >="): "what came once is kept once on the slower way as well",
    ("include/sql/ledger_refresh.sql", "MAX(i.action_status) AS action_status, MAX(i.locking_date)", "MAX( → MIN("):
        "a record that is asked for by its id comes once",
    ("include/cj/breaker.py", "failures: int = 0", "0 → 1"): "a count without the moment of its first failure is begun anew, whatever it says",
    ("include/cj/breaker.py", "2 ** min(state.pauses, 10)", "10 → 11"): "after four pauses it is the longest; the ten keeps the power small",
    ("include/domain/money.py", "amount.quantize(Decimal(1).scaleb(-SCALE)", "1 → 2"): "of what it is rounded to, the number of places alone is asked",
    ("include/domain/money.py", "if exponent >= -SCALE else", ">= → > in exponent >= -SCALE"): "at the last place itself both ways come to the same",
    ("include/airflow/tasks.py", 'published.counts.get("quarantine", 0)', "0 → 1"): "without counts nothing was planned, and nothing is told",
}  # fmt: skip
"""(path, a part of the line, the mistake): why it cannot be noticed."""


def decides_nothing(mistake: Mutation, source: str) -> bool:
    """Whether this mistake is one of them."""
    line = source.splitlines()[mistake.line - 1]
    return any((mistake.path, mistake.what) == (path, what) and part in line for path, part, what in DECIDES_NOTHING)
