"""No name is left over: what the package or the laboratory defines is used there, by a framework, or for a reason that is told here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.policy.sources import ROOT, modules, tree

FOLDERS = ("include", "dags", "plugins", "lab")

CALLED_FROM_OUTSIDE = {
    "CJPoolsPlugin": "Airflow finds a plugin by its base class",
    "CJPagesPlugin": "the same",
    "CJPreloadPlugin": "the same",
    "auth_flow": "httpx asks it for the token's header",
    "deserialize": "Airflow revives a retry policy with it",
    "do_POST": "http.server calls it for a request",
    "external_views": "Airflow shows what a plugin names so",
    "fastapi_apps": "Airflow mounts what a plugin names so",
    "find_spec": "Python asks a finder of modules",
    "listeners": "Airflow registers what a plugin names so",
    "log_message": "http.server tells it of every request",
    "protocol_version": "http.server reads it",
    "pytest_runtest_logreport": "pytest tells a plugin of every test's end",
    "writable": "io asks a stream",
}
"""Names that a library calls or reads."""

KEPT = {
    "ITEM_LEAD": "CJ's word for what is paid, of which the SQL compares with some",
    "ITEM_SALE": "CJ's word for what is paid, of which the SQL compares with some",
    "SIM_LEAD": "CJ's word for what is paid, of which the SQL compares with some",
    "OVER_100_ITEMS": "a figure of the real year, with which the shop's orders are compared",
    "SHARES": "what a bulk is made of, with which the written one is compared",
    "restart": "who rehearses against the sandbox takes CJ away and gives it back",
    "run_night": "a night without Airflow, for the tests of a bucket and of the way from test to live",
}
"""Names that only tests use, or nobody, and why they stay."""

_ROUTES = ("get", "post", "put", "delete", "exception_handler", "hookimpl", "task")
"""Decorators that hand a function to somebody who calls it."""


def handed_over(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether a decorator gives it to a framework."""
    called = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any((one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")) in _ROUTES for one in called)


def defined(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Functions, classes, methods, fields and constants; what lives inside a function is the linter's matter."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if not handed_over(node):
                yield node.name, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from defined(node.body)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((name.id, node.lineno) for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def used(node: ast.AST) -> Iterator[str]:
    """Every name that is read, imported, passed or asked for, and what a text without spaces names."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            yield one.id
        elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Load):
            yield one.attr
        elif isinstance(one, ast.ImportFrom):
            yield from (name.name for name in one.names)
        elif isinstance(one, ast.keyword) and one.arg:
            yield one.arg
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and not re.search(r"\s", one.value):
            yield from re.findall(r"\w+", one.value)


@cache
def uses() -> frozenset[str]:
    """What the package and the laboratory use, their SQL, queries and templates included."""
    found = {name for module in modules(*FOLDERS) for name in used(tree(module))}
    for pattern in ("*.sql", "*.graphql", "*.j2", "*.json"):
        for path in (ROOT / "include").rglob(pattern):
            found |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return frozenset(found)


def left_over() -> dict[str, str]:
    """Name → where it is defined, for those that nothing uses."""
    return {
        name: f"{module}:{line}"
        for module in modules(*FOLDERS)
        for name, line in defined(tree(module).body)
        if name not in uses() and not re.fullmatch(r"__\w+__", name)
    }


def test_every_name_is_used_or_has_its_reason() -> None:
    allowed = CALLED_FROM_OUTSIDE | KEPT
    assert {name: where for name, where in left_over().items() if name not in allowed} == {}


def test_no_reason_is_left_over_either() -> None:
    assert set(CALLED_FROM_OUTSIDE | KEPT) - set(left_over()) == set()


def test_a_name_that_nothing_uses_would_be_found(tmp_path: Path) -> None:
    text = "A = 1\nclass B:\n    c: int = A\n    def d(self) -> None: ...\n@app.get('/')\ndef e() -> None: ...\n"
    assert [name for name, _ in defined(ast.parse(text).body)] == ["A", "B", "c", "d"]
    assert set(used(ast.parse("from a import b\nc.d(e=1)\n'f.g'\n'no names'\nh = 2"))) == {"b", "c", "d", "e", "f", "g"}
