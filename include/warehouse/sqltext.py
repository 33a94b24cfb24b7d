"""Reading SQL texts just far enough: where statements end, and where `:name` stands for a value.

Nothing inside string literals, quoted identifiers, dollar quotes and comments counts, and `::` is a cast. Values never enter the text:
`bind` puts the driver's own placeholder there and says which names are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

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
