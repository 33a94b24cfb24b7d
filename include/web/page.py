"""What a page is: an address, a function that reads, and a template that shows. The registry is `include.web.pages`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from include.warehouse.base import Session
from include.web.asked import Asked


@dataclass(frozen=True)
class Listing:
    """A list as a file: its columns and its rows, a batch at a time."""

    columns: Sequence[str]
    rows: Iterator[Mapping[str, Any]]


class NoSuchThing(Exception):
    """What an address names is not in the tables. The message is for a person."""


class Elsewhere(Exception):
    """What was asked for has an address of its own, within the pages."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class Page:
    """One page.

    `look` makes a frozen value of a session and what was asked: the template shows it, and it is the JSON. It raises NoSuchThing or Elsewhere.
    """

    name: str
    """Of its template, and of what the navigation marks."""
    path: str
    """Within the pages: `/breaks`. Its JSON is under `/api/v1`, its CSV under `<path>.csv`."""
    look: Callable[[Session, Asked], Any]
    shape: type
    """Of what `look` gives: the JSON's description is made of it."""
    tells: str
    """In a sentence, for the JSON's description."""
    title: str = ""
    """In the navigation; a page without one is reached from others."""
    listing: Callable[[Session, Asked], Listing] | None = None
    filters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What may stand after the `?`, and what it means."""
    part_of: str = ""
    """The page that the navigation marks for this one."""
    words: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What its template needs besides what `look` gives: lists to choose from, what pictures are drawn of."""
    json: bool = True
    """Whether it has a JSON of its own."""
