"""Small mistakes in a Python module: a comparison, a condition, a sign or a number turned, an abs() forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from lab.mutants.mutation import Mutation, at

_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"), ast.Div: ("/", "*"),
}  # fmt: skip
_JOINED: dict[type[ast.boolop], tuple[str, str]] = {ast.And: ("and", "or"), ast.Or: ("or", "and")}


class Places:
    """Where the parts of a source text stand, as offsets."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def of(self, node: Any) -> tuple[int, int]:
        """Start and end of a node; ast counts columns in bytes."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        start = self._lines[line - 1]
        text = self._source[start : self._lines[line]]
        return start + len(text.encode()[:column].decode())


def mutations(path: str, source: str) -> Iterator[Mutation]:
    """Each mistake by itself, from the top of the module."""
    places, tree = Places(source), ast.parse(source)
    kept = {id(n) for node in ast.walk(tree) for n in _aside(node)}
    found = (m for node in ast.walk(tree) if id(node) not in kept for m in _of(node, path, source, places))
    yield from sorted(found, key=lambda m: (m.start, m.what))


def _aside(node: ast.AST) -> Iterator[ast.AST]:
    """What decides nothing: annotations, assertions, defaults of types, log calls."""
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and "log." in ast.unparse(node)[:8]):
        yield from ast.walk(node)
    annotations = [getattr(node, name, None) for name in ("annotation", "returns")]
    yield from (n for a in annotations if a is not None for n in ast.walk(a))


def _of(node: ast.AST, path: str, source: str, places: Places) -> Iterator[Mutation]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _between(node.left, node.comparators[0], _COMPARED.get(type(node.ops[0])), path, source, places)
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for n, op in enumerate(node.ops):
            yield from _between(sides[n], sides[n + 1], _COMPARED.get(type(op)), path, source, places)
    elif isinstance(node, ast.BinOp) and not _is_text(node):
        yield from _between(node.left, node.right, _COMPUTED.get(type(node.op)), path, source, places)
    elif isinstance(node, ast.BoolOp):
        for one, two in zip(node.values, node.values[1:], strict=False):
            yield from _between(one, two, _JOINED[type(node.op)], path, source, places)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        start, end = places.of(node)
        sign = "not" if isinstance(node.op, ast.Not) else "-"
        yield at(path, source, start, start + len(sign), "", f"without {sign}: {source[start:end]}")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("abs", "max", "min"):
        start, end = places.of(node.func)
        yield at(path, source, start, end, {"abs": "", "max": "min", "min": "max"}[node.func.id])
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        start, end = places.of(node)
        yield at(path, source, start, end, str(node.value + 1), f"{source[start:end]} → {node.value + 1}")
    if isinstance(node, (ast.If, ast.IfExp, ast.While)) and not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
        start, end = places.of(node.test)
        yield at(path, source, start, end, f"not ({source[start:end]})", f"if not: {source[start:end]}")


def _between(left: ast.expr, right: ast.expr, turned: tuple[str, str] | None, path: str, source: str, places: Places) -> Iterator[Mutation]:
    if turned is None:
        return
    begin, end = places.of(left)[1], places.of(right)[0]
    at_ = source.find(turned[0], begin, end)
    if at_ >= 0:
        yield at(
            path,
            source,
            at_,
            at_ + len(turned[0]),
            turned[1],
            f"{turned[0]} → {turned[1]} in {source[places.of(left)[0] : places.of(right)[1]]}"[:110],
        )


def _is_text(node: ast.BinOp) -> bool:
    """Texts and paths are put together with + and / as well: those mistakes do not even run."""
    return any(
        isinstance(side, (ast.JoinedStr, ast.List)) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
