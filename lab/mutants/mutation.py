"""One planted mistake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """The text of `path` from `start` to `end` is written otherwise; `what` says how, for the table."""

    path: str
    line: int
    start: int
    end: int
    text: str
    what: str

    def applied(self, source: str) -> str:
        """The file with the mistake in it."""
        return source[: self.start] + self.text + source[self.end :]


def at(path: str, source: str, start: int, end: int, text: str, what: str = "") -> Mutation:
    """A mutation of this piece of the source, which says what it replaces unless told otherwise."""
    line = source.count("\n", 0, start) + 1
    return Mutation(path, line, start, end, text, what or f"{shown(source[start:end])} → {shown(text)}")


def shown(text: str) -> str:
    """One short line."""
    plain = " ".join(text.split())
    return (plain if len(plain) <= 60 else plain[:59] + "…") or "nothing"
