"""What is mutated, how, and by which tests it ought to be noticed: the quick ones first, since the first that fails is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.mutants import python_code, sql_texts, told_rules
from lab.mutants.mutation import Mutation

_RULES = "tests/restatements/rules"
# The behaviour alone: a list of ids would notice that a rule is gone, and not what for.
_DECIDES = f"{_RULES}/test_plan_rules.py::test_of_these_facts_this_rule_decides"
_JUDGES = f"{_RULES}/test_verdict_rules.py::test_of_these_facts_this_is_the_verdict"
_MONEY, _AGAIN = "tests/restatements/test_money.py", "tests/restatements/test_tried_again.py"
_LENGTHS, _LEDGER = "tests/restatements/test_lengths_and_limits.py", "tests/restatements/ledger"
# What a text or a body decides, it decides in every warehouse: one of them is enough.
_ONE = "-k 'not postgres'"
_READ, _APPENDED = (
    f"{_LEDGER}/test_reading.py {_LEDGER}/test_refresh.py {_LEDGER}/test_given_up.py -k 'not postgres and not planner'",
    f"{_LEDGER}/test_append.py {_ONE}",
)
_JOURNAL, _POSTED = "tests/restatements/journal", "tests/restatements/posting/test_poster.py"
_LOADED = f"{_JOURNAL}/test_loading.py"
_CHUNKS = f"{_JOURNAL}/test_chunks.py {_JOURNAL}/test_run_folders.py {_JOURNAL}/test_two_hands.py {_POSTED} -k 'not punctuation and not two_hands_do'"
_FOUND = ("tests/restatements/test_regressions.py", "tests/restatements/test_regressions_interrupted.py")
_DEMO = "tests/journeys/test_demo_totals.py"
_PLAN_FACTS = f"{_RULES}/test_plan_facts.py {_RULES}/test_plan_unknowns.py {_RULES}/test_ids_meet.py {_RULES}/test_plan_rates.py {_ONE}"
_VERDICT_FACTS = (
    f"{_RULES}/test_verdict_facts.py {_RULES}/test_verdict_unknowns.py {_RULES}/test_verdict_rates.py {_RULES}/test_either_state.py "
    f"{_RULES}/test_looked_for.py {_ONE}"
)
_ALIKE, _NEWS = f"{_RULES}/test_alike.py", f"{_RULES}/test_news_of_what_waits.py"
_ANY_FACTS = f"{_PLAN_FACTS.removesuffix(_ONE)}{_VERDICT_FACTS}"
# What divides by nothing, only PostgreSQL refuses.
_DIVIDES = f"{_RULES}/test_plan_rates.py {_RULES}/test_verdict_rates.py -k 'postgres and over_nothing'"
_WHOLE_PLAN = (_PLAN_FACTS, _DIVIDES, _MONEY, *_FOUND, _AGAIN, _DEMO)
_WHOLE_VERDICTS = (_VERDICT_FACTS, _DIVIDES, _MONEY, _AGAIN, *_FOUND, _DEMO)


@dataclass(frozen=True)
class Target:
    """One file, the pass that plants mistakes into it, and its tests in the order they are asked."""

    path: str
    plants: Callable[[str, str], Iterator[Mutation]]
    tests: tuple[str, ...]
    """Each entry is asked by itself: one file, or several, and options of pytest, with a space between."""


TARGETS = (
    Target("include/restatements/rules/plan.py", told_rules.mutations, (_DECIDES,)),
    Target("include/restatements/rules/verdicts.py", told_rules.mutations, (_JUDGES,)),
    Target("include/sql/plan.sql", sql_texts.mutations, (f"{_RULES}/test_plan_rules.py", _MONEY)),
    Target("include/sql/verdicts.sql", sql_texts.mutations, (f"{_RULES}/test_verdict_rules.py", _MONEY)),
    Target("include/sql/plan_facts.sql", sql_texts.mutations, _WHOLE_PLAN),
    Target("include/sql/verdict_facts.sql", sql_texts.mutations, _WHOLE_VERDICTS),
    Target(
        "include/sql/fragments.sql",
        sql_texts.mutations,
        (f"{_ALIKE} {_ANY_FACTS}", _MONEY, f"{_RULES}/test_open_orders.py", *_FOUND),
    ),
    Target(
        "include/sql/order_state.sql",
        sql_texts.mutations,
        (f"{_RULES}/test_order_state.py {_RULES}/test_discount_signs.py {_ONE}", _ANY_FACTS, *_WHOLE_VERDICTS[1:]),
    ),
    Target("include/sql/reconciliation_run.sql", sql_texts.mutations, (f"{_RULES}/test_row_of_a_round.py",)),
    *(
        Target(f"include/sql/{name}.sql", sql_texts.mutations, (f"{_RULES}/test_planned_again.py {_NEWS} {_ONE}", f"{_NEWS} -k postgres"))
        for name in ("replan_keys", "replan_news", "replan_settled")
    ),
    *(Target(f"include/sql/{name}.sql", sql_texts.mutations, (f"{_RULES}/test_open_orders.py",)) for name in ("open_orders", "judged")),
    Target("include/sql/verdicts_apply.sql", sql_texts.mutations, (f"{_RULES}/test_verdicts_kept.py",)),
    *(Target(f"include/sql/{name}.sql", sql_texts.mutations, (f"{_RULES}/test_settled.py",)) for name in ("settled_found", "settled_kept")),
    Target("include/sql/ledger_known.sql", sql_texts.mutations, (_APPENDED,)),
    Target("include/sql/ledger_refresh.sql", sql_texts.mutations, (_ALIKE, _READ)),
    Target("include/sql/ledger_due.sql", sql_texts.mutations, (f"{_LEDGER}/test_refresh.py {_ONE}",)),
    Target("include/sql/ledger_waited_for.sql", sql_texts.mutations, (f"{_LEDGER}/test_given_up.py {_ONE}",)),
    *(
        Target(f"include/sql/ledger_{name}.sql", sql_texts.mutations, (_ALIKE, f"{_LEDGER}/test_gone.py {_ONE}"))
        for name in ("alike", "gone", "back", "unseen")
    ),
    *(
        Target(
            f"include/restatements/ledger/{name}.py",
            python_code.mutations,
            (
                _APPENDED,
                _READ,
                f"{_LEDGER}/test_appending.py",
                f"{_LEDGER}/test_set_aside.py {_LEDGER}/test_gone.py {_ONE}",
                f"{_LEDGER}/test_reading.py -k planner",
                f"{_LEDGER}/test_publishers.py {_ONE}",
            ),
        )
        for name in ("appending", "reading", "spool")
    ),
    Target("include/restatements/publish.py", python_code.mutations, (_LOADED,)),
    Target(
        "include/restatements/posting/poster.py",
        python_code.mutations,
        (_POSTED, "tests/restatements/test_what_a_live_answer_proves.py -k named", _LENGTHS),
    ),
    Target("include/restatements/journal/journal.py", python_code.mutations, (_CHUNKS, _LOADED, f"{_JOURNAL}/test_documents.py")),
    Target("include/restatements/journal/loading.py", python_code.mutations, (f"{_JOURNAL}/test_outcomes.py", _LOADED)),
    Target("include/domain/money.py", python_code.mutations, ("tests/domain/test_money.py", "tests/cj/test_payload.py")),
    Target("include/cj/breaker.py", python_code.mutations, ("tests/cj/test_breaker.py",)),
    Target("include/cj/limits.py", python_code.mutations, ("tests/cj/test_limits.py",)),
    Target(
        "include/airflow/tasks.py",
        python_code.mutations,
        (
            "tests/airflow/test_left_unsent.py",
            "tests/airflow/test_operators.py",
            "tests/airflow/test_partner_tasks.py tests/restatements/test_acknowledge.py",
        ),
    ),
)
