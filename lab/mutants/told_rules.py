"""Mistakes in rules told as data: a rule forgotten, asked after its neighbour, or with one part of its condition turned."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise, product

from lab.mutants.mutation import Mutation, at
from lab.mutants.python_code import Places

_WORDS = re.compile(r"\b(?!AND\b|OR\b|NOT\b|TRUE\b|FALSE\b)[a-z_]+\b")


def mutations(path: str, source: str) -> Iterator[Mutation]:
    """For every tuple in capitals whose parts carry a condition."""
    places = Places(source)
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.isupper() and node.value is not None:
            for told in ast.walk(node.value):
                if isinstance(told, ast.Tuple) and len(told.elts) > 1 and all(_name(part) for part in told.elts):
                    yield from _of_list(path, source, places, node.target.id, told.elts)


def _of_list(path: str, source: str, places: Places, title: str, parts: list[ast.expr]) -> Iterator[Mutation]:
    for part in parts:
        start, end = places.of(part)
        yield at(path, source, start, _past_comma(source, end), "", f"{title}: {_name(part)} dropped")
    for one, two in pairwise(parts):
        if _both_possible(_condition(one), _condition(two)) and not _say_the_same(one, two):
            (a, b), (c, d) = places.of(one), places.of(two)
            yield at(path, source, a, d, source[c:d] + source[b:c] + source[a:b], f"{title}: {_name(two)} asked before {_name(one)}")
    for part in parts:
        condition = _condition_node(part)
        if condition is not None and isinstance(condition.value, str):
            start, end = places.of(condition)
            for turned in _turned(condition.value):
                yield at(path, source, start, end, repr(turned), f"{title}: {_name(part)} where {turned}")


def _turned(condition: str) -> Iterator[str]:
    for m in re.finditer(r"\bAND\b|\bOR\b", condition):
        yield condition[: m.start()] + ("OR" if m[0] == "AND" else "AND") + condition[m.end() :]
    for m in re.finditer(r"\bNOT (?=[a-z_(])", condition):
        yield condition[: m.start()] + condition[m.end() :]
    for m in _WORDS.finditer(condition):
        if not condition[: m.start()].endswith("NOT "):
            yield f"{condition[: m.start()]}NOT {condition[m.start() :]}"
        # A part forgotten: what is left decides. In a list of one nothing would be left.
        if re.search(r"\bAND\b|\bOR\b", condition):
            neutral = _neutral(condition, m.start())
            yield condition[: m.start()] + neutral + condition[m.end() :]


def _neutral(condition: str, start: int) -> str:
    negated = condition[:start].endswith("NOT ")
    joins = re.findall(r"\bAND\b|\bOR\b", condition[start:]) or re.findall(r"\bAND\b|\bOR\b", condition[:start])
    inside_or = (
        condition[:start].count("(") > condition[:start].count(")")
        and "OR" in condition[condition.rfind("(", 0, start) : condition.find(")", start)]
    )
    forgotten = "FALSE" if inside_or or joins[:1] == ["OR"] else "TRUE"
    return {"TRUE": "FALSE", "FALSE": "TRUE"}[forgotten] if negated else forgotten


def _both_possible(one: str, two: str) -> bool:
    """Whether one and the same order can meet both: else their turn decides nothing."""
    names = sorted(set(_WORDS.findall(f"{one} {two}")))
    if len(names) > 12:
        return True
    code = compile(f"({_python(one)}) and ({_python(two)})", "conditions", "eval")
    return any(eval(code, {}, dict(zip(names, values, strict=True))) for values in product([True, False], repeat=len(names)))


def _say_the_same(one: ast.expr, two: ast.expr) -> bool:
    """Whether both stand for one word, and nothing but the word is told: then too their turn decides nothing."""
    words = [part.args[1] for part in (one, two) if isinstance(part, ast.Call) and len(part.args) > 1]
    return len(words) == 2 and all(isinstance(w, ast.Attribute) for w in words) and ast.unparse(words[0]) == ast.unparse(words[1])


def _python(condition: str) -> str:
    for word, other in (("AND", "and"), ("OR", "or"), ("NOT", "not"), ("TRUE", "True"), ("FALSE", "False")):
        condition = re.sub(rf"\b{word}\b", other, condition)
    return condition or "True"


def _name(part: ast.expr) -> str:
    """What a part of a list of rules is called: its id, or the fact it asks for. Empty for what is no rule."""
    given = part.args if isinstance(part, ast.Call) else part.elts if isinstance(part, ast.Tuple) else []
    texts = [n.value for n in given if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return texts[0] if texts else ""


def _condition_node(part: ast.expr) -> ast.Constant | None:
    """The argument that is made of facts alone: the longest such text after the id."""
    if not isinstance(part, ast.Call):
        return None
    texts = [n for n in part.args[1:] if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return next((n for n in texts if re.fullmatch(r"[a-z_ ()]*", re.sub(r"\b(AND|OR|NOT|TRUE|FALSE)\b", "", str(n.value)))), None)


def _condition(part: ast.expr) -> str:
    node = _condition_node(part)
    return str(node.value) if node is not None else ""


def _past_comma(source: str, end: int) -> int:
    rest = re.match(r"\s*,", source[end:])
    return end + rest.end() if rest else end
