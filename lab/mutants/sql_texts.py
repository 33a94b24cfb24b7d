"""Small mistakes in an SQL text, outside of its comments, its quoted words, its Jinja tags and the 1 that an EXISTS selects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.mutants.mutation import Mutation, at

_ASIDE = re.compile(r"--[^\n]*|\{#.*?#\}|\{%.*?%\}|'[^']*'|\bSELECT 1 FROM\b", re.DOTALL)
_NAMED = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TURNED = (
    (r"<>", "="),
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<![<>=!])<(?![=>])", "<="),
    (r"(?<![<>=!-])>(?![=])", ">="),
    (r"(?<![<>=!:])=(?![=>])", "<>"),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"),
    (r"(?<= )\*(?= )", "+"),
    (r"\bABS\(", "("),
    (r"\bNOT (?!NULL\b|EXISTS\b|IN\b)", ""),
    (r"\bNOT EXISTS\b", "EXISTS"),
    (r"\bNOT IN\b", "IN"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bDESC\b", "ASC"),
    (r"\bMAX\(", "MIN("),
    (r"\bMIN\(", "MAX("),
    (r"\bTRUE\b", "FALSE"),
    (r"\bFALSE\b", "TRUE"),
    (r"\bLEAST\(", "GREATEST("),
    (r"\bINNER JOIN\b", "LEFT JOIN"),
)
_NUMBER = re.compile(r"(?<![\w.:(])\d+(?:\.\d+)?(?![\w.(])")
_TYPES = re.compile(r"(?:decimal\(|INTERVAL ')[^)']*", re.IGNORECASE)
_DECIDES = re.compile(r"^\s*WHEN (.*?) THEN", re.MULTILINE)


def mutations(path: str, source: str) -> Iterator[Mutation]:
    """Each mistake by itself, from the top of the text."""
    yield from sorted(_all(path, source), key=lambda m: (m.start, m.what))


def _all(path: str, source: str) -> Iterator[Mutation]:
    aside = (
        [m.span() for m in _ASIDE.finditer(source)]
        + [m.span() for m in _NAMED.finditer(source)]
        + [m.span() for m in _TYPES.finditer(source)]
    )

    def counts(start: int) -> bool:
        return not any(begin <= start < end for begin, end in aside)

    for pattern, other in _TURNED:
        yield from (
            at(path, source, *m.span(), other) for m in re.finditer(pattern, source) if counts(m.start()) and not _joins(source, m.start())
        )
    yield from (at(path, source, *m.span(), _other(m[0])) for m in _NUMBER.finditer(source) if counts(m.start()))
    for m in _DECIDES.finditer(source):
        if counts(m.start(1)):
            yield at(path, source, *m.span(1), "FALSE", f"never: WHEN {m[1]}")


def _joins(source: str, start: int) -> bool:
    """Whether it stands in the ON of a join by keys: any test there notices, or waits for ever."""
    line = source[source.rfind("\n", 0, start) + 1 : source.find("\n", start)].strip()
    return line.startswith("ON ") or ("_id = " in line and line.startswith("AND "))


def _other(number: str) -> str:
    """A number a little off: one more, or twice the fraction."""
    return str(int(number) + 1) if number.isdigit() else str(round(float(number) * 2, 6))
