"""Mistakes that change no answer, each with the reason why none can: they are not planted. A test of its own holds that each still stands there."""

from __future__ import annotations

from lab.mutants.mutation import Mutation

DECIDES_NOTHING: dict[tuple[str, str, str], str] = {
    ("include/sql/plan_facts.sql", "AND s.outcome IN ('accepted', 'unknown') AND s.settled_at IS NULL THEN 1 ELSE 0 END)", "1 → 2"):
        "only whether there is any is asked",
    ("include/sql/plan_facts.sql", "THEN 1 ELSE 0 END) OVER (PARTITION BY i.position) AS emptied", "1 → 2"): "only whether there is any is asked",
    ("include/sql/plan_facts.sql", "INNER JOIN cj.submissions AS s", "INNER JOIN → LEFT JOIN"): "the mode is asked of what was joined",
    ("include/sql/plan_facts.sql", "AS basket_differs,", "FALSE → TRUE"): "null only of an order CJ does not know, which is not held so whatever it says",
    ("include/sql/verdict_facts.sql", "others_since, MIN(plan_number) AS plan_number", "MIN( → MAX("): "states follow each other: their order is the same",
    ("include/sql/verdict_facts.sql", "MAX(operation) AS operation, MAX(amount) AS amount", "MAX( → MIN("): "attempts of one content are alike in it",
    ("include/sql/verdict_facts.sql", "INNER JOIN states AS b USING", "INNER JOIN → LEFT JOIN"): "every attempt is one of a state",
    ("include/sql/verdict_facts.sql", "INNER JOIN records AS r USING", "INNER JOIN → LEFT JOIN"): "what was joined is asked for its posting date",
    ("include/sql/verdict_facts.sql", "MAX(CASE WHEN COALESCE(r.reading, 0) > w.known_reading", "0 → 1"):
        "a record without the number of a reading is left out before",
}  # fmt: skip
"""(path, a part of the line, the mistake): why it cannot be noticed."""


def decides_nothing(mistake: Mutation, source: str) -> bool:
    """Whether this mistake is one of them."""
    line = source.splitlines()[mistake.line - 1]
    return any((mistake.path, mistake.what) == (path, what) and part in line for path, part, what in DECIDES_NOTHING)
