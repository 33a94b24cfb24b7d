"""Money goes through `include.domain.money`: nowhere else does a number become a float or a Decimal, but where a reason is given."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.policy.sources import modules, tree

HOME = Path("include/domain/money.py")

NO_MONEY = {
    ("include/domain/kinds.py", "*"): "what a person typed, before it is money, a ratio, hours or minutes",
    ("include/cj/answers.py", "retry_after"): "seconds",
    ("include/demo/catalogue.py", "basket"): "how many lines an order has",
    ("include/demo/shop.py", "*"): "hours, days and shares that a random generator draws",
    ("include/airflow/metrics.py", "gauges_of"): "a metric is a float by its protocol",
    ("include/restatements/settings.py", "notice_break_above"): "a whole amount",
    ("include/restatements/changes/parsing.py", "_LARGEST"): "the largest decimal(38, 10), built from its digits",
    ("include/restatements/doctor/orders.py", "_read"): "a ratio",
    ("include/restatements/gate/gate.py", "*"): "a ratio of two counts",
    ("include/restatements/gate/findings.py", "_number"): "a comparison with bounds that are small whole numbers",
    ("include/restatements/approval/judging.py", "figures_of"): "a ratio of two counts",
    ("include/restatements/approval/rules.py", "*"): "counts, shares and multiples; the amounts come as they are",
    ("include/restatements/settings.py", "gate_new_cancelled"): "a ratio",
    ("include/restatements/settings.py", "gate_taken_back"): "a ratio",
    ("include/restatements/settings.py", "gate_times_usual"): "a multiple",
    ("include/restatements/settings.py", "gate_touched"): "a ratio",
    ("include/restatements/settings.py", "max_quarantine_ratio"): "a ratio",
    ("include/restatements/settings.py", "currency_band"): "a ratio",
    ("include/restatements/settings.py", "ids_must_meet"): "a ratio",
    ("include/sandbox/accounts.py", "*"): "the rate of a currency in itself",
    ("include/sandbox/documents.py", "*"): "a literal of a query, refused wherever it stands",
}
"""(module, function or name; `*` is anywhere in it) → what the number is."""


def conversions(module: Path) -> list[tuple[str, int, str]]:
    """(function or name it stands in, line, what is called), for each conversion to float or Decimal."""
    found: list[tuple[str, int, str]] = []

    def look(node: ast.AST, where: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            where = node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            where = node.target.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and where == "":
            where = node.targets[0].id
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called in ("float", "Decimal", "__float__", "from_float", "float64", "float32"):
                found.append((where, node.lineno, called))
        for child in ast.iter_child_nodes(node):
            look(child, where)

    look(tree(module), "")
    return found


def test_no_amount_becomes_a_float_or_a_decimal_outside_of_money() -> None:
    strangers = [
        f"{module}:{line}: {called}() in {where or 'the module'}"
        for module in modules("include", "dags", "plugins")
        if module != HOME
        for where, line, called in conversions(module)
        if (str(module), where) not in NO_MONEY and (str(module), "*") not in NO_MONEY
    ]
    assert strangers == [], "use include.domain.money, or say in NO_MONEY what the number is"


def test_the_list_of_exceptions_names_nothing_that_is_gone() -> None:
    used = {(str(module), where) for module in modules("include") for where, _, _ in conversions(module)}
    used |= {(module, "*") for module, _ in used}
    assert set(NO_MONEY) - used == set()


@pytest.mark.parametrize(
    "line", ["x = float(amount)", "def f(a): return a.__float__()", "import numpy\ny = numpy.float64('1.10')", "z = decimal.Decimal(1.1)"]
)
def test_a_conversion_would_be_found(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.policy.test_money.tree", lambda _: ast.parse(line))
    assert len(conversions(Path("any.py"))) == 1
