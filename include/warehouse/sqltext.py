"""Reading SQL texts just far enough: where statements end, and where `:name` stands for a value.

Nothing inside string literals, quoted identifiers, dollar quotes and comments counts, and `::` is a cast; but for the mark `/* few */` of our own texts, which
`found_by_row` reads. Values never enter the text: `bind` puts the driver's own placeholder there and says which names are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

_TOKEN = re.compile(
    r"""
      (?P<literal>
          \b[eE]'(?:[^'\\]|\\.|'')*'              # PostgreSQL's escape string
        | '(?:[^']|'')*'
        | "(?:[^"]|"")*"
        | (?P<tag>(?<![\w$])\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)
      )
    | (?P<comment> --[^\n]*\n? | /\* .*? \*/ )
    | (?P<cast> :: | := )
    | :(?P<name>[A-Za-z_]\w*)
    | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)


def names(sql: str) -> list[str]:
    """The parameter names of a statement, each once, in the order of their first use."""
    found = (match.group("name") for match in _TOKEN.finditer(sql))
    return list(dict.fromkeys(name for name in found if name))


def bind(sql: str, placeholder: Callable[[str], str]) -> str:
    """The statement with every `:name` replaced by what `placeholder(name)` says."""
    return _TOKEN.sub(lambda match: placeholder(match.group("name")) if match.group("name") else match.group(0), sql)


def rename(sql: str, new_names: dict[str, str]) -> str:
    """The statement with some parameters under other names, so that one statement can hold the same text twice."""
    return bind(sql, lambda name: f":{new_names.get(name, name)}")


def respelled(sql: str, words: Mapping[str, str]) -> str:
    """The statement with its types under other names: `{"text": "varchar"}`.

    A type is the end of a CAST, or stands after a column's name where a table is made or altered; the same word elsewhere is a name.
    """
    if not words:
        return sql
    spelled = {_one_blank(word): other for word, other in words.items()}
    types = "|".join(r"\s+".join(map(re.escape, word.split())) for word in sorted(spelled, key=len, reverse=True))
    bare = _TOKEN.sub(_blanked, sql)
    spans = {*_cast_types(bare, types), *_column_types(bare, types)}
    for start, end in sorted(spans, reverse=True):
        sql = sql[:start] + spelled[_one_blank(sql[start:end])] + sql[end:]
    return sql


_FEW = re.compile(
    r"FROM (?P<table>[\w.]+) AS (?P<alias>\w+) /\* few \*/\s+INNER JOIN (?P<wanted>(?:\w+|\([^()]*\)) AS \w+) USING \((?P<key>[^()]*)\)"
)


def found_by_row(sql: str) -> str:
    """The statement with each `FROM many AS m /* few */ INNER JOIN wanted AS w USING (key)` first looking for the numbers of the rows by their key alone.

    For a database of columns: it would read every column of all rows to join a few of them.
    """
    return _FEW.sub(
        r"FROM \g<table> AS \g<alias> INNER JOIN (SELECT few.rowid AS number FROM \g<table> AS few INNER JOIN \g<wanted> USING (\g<key>)) AS few "
        r"ON few.number = \g<alias>.rowid",
        sql,
    )


def _one_blank(word: str) -> str:
    return " ".join(word.lower().split())


def _blanked(match: re.Match[str]) -> str:
    """As long as it was, so that what is found stands in the same place in the statement."""
    return (
        (" " if match.group("comment") else "_") * len(match.group(0))
        if match.group("comment") or match.group("literal")
        else match.group(0)
    )


def _cast_types(bare: str, types: str) -> Iterator[tuple[int, int]]:
    opened: list[int | None] = []
    for bracket in re.finditer(r"\bCAST\s*\(|\(|\)", bare, re.IGNORECASE):
        if bracket.group(0) != ")":
            opened.append(bracket.end() if len(bracket.group(0)) > 1 else None)
        elif opened and (start := opened.pop()) is not None:
            inside = re.compile(rf"\bAS\s+({types})\s*\Z", re.IGNORECASE).search(bare, start, bracket.start())
            if inside:
                yield inside.span(1)


def _column_types(bare: str, types: str) -> Iterator[tuple[int, int]]:
    if re.match(r"\s*(CREATE\s[\s\w]*?TABLE|ALTER\s+TABLE)\b", bare, re.IGNORECASE):
        after = r"(?=\s*(?:,|\)|\Z|(?:NOT|NULL|DEFAULT|COLLATE|PRIMARY|UNIQUE|CHECK|REFERENCES)\b))"
        yield from (found.span(1) for found in re.finditer(rf"(?<=\w)\s+({types}){after}", bare, re.IGNORECASE))


def statements(text: str) -> list[str]:
    """The statements of a script, without their semicolons; pieces that hold only comments and blanks are dropped."""
    return [piece.strip() for piece in _pieces(text) if _says_something(piece)]


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for match in _TOKEN.finditer(text):
        if match.group("end"):
            yield text[start : match.start()]
            start = match.end()
    yield text[start:]


def _says_something(piece: str) -> bool:
    return bool(_TOKEN.sub(lambda match: "" if match.group("comment") else match.group(0), piece).strip())
