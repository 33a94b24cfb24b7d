"""Finding the orders CJ refuses, in Test Mode, so that the rest can go on.

CJ's errors name no order, and no source settles whether one bad order sinks the whole request or only itself. So: what the answer echoes is
good; what it does not is asked again in halves until each refused order stands alone with CJ's own words. Field paths that name positions
are a hint where to cut, never a verdict. With b bad orders among n the calls grow with b x log2(n). What may be an execution that broke is no verdict
until it breaks twice on an order alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from include.cj.client import Answer
from include.cj.errors import CJError, CJNoVerdict, CJRefused, CJRequestTooLarge, words_of
from include.restatements.posting.words import without_values

MAX_CALLS = 2_000
"""Past this the search stops and what is still in doubt is held back with the reason: a chunk that bad needs a person."""

MANY_SILENT = 20
"""So many orders in a row refused without a word of CJ's are no coincidence: something before CJ refuses everything."""

_POSITION = re.compile(r"\[(\d+)\]|\.(\d+)(?:\.|$)")


@dataclass
class Search:
    """What Test Mode said: positions in the chunk that it echoed, and those it refused, with CJ's words."""

    passed: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    calls: int = 0
    too_large: bool = False
    """A request of more than one order was too large for CJ, or CJ too busy for it: what passed, passed in parts."""
    heard: bool = False
    """CJ answered at all: it took an order, or said why not."""
    silent: list[CJRefused] = field(default_factory=list)
    """Refusals of single orders without a word of CJ's, since it was heard last."""


def is_too_large(error: CJError) -> bool:
    """CJ: a 504 means that the request was too large or the service overloaded."""
    return isinstance(error, CJRequestTooLarge) or (isinstance(error, CJNoVerdict) and error.status in (504, 413))


class _Said(NamedTuple):
    """What one request came to, by positions in the chunk."""

    words: str = ""
    hinted: frozenset[int] = frozenset()
    """At which field paths point."""
    echoed: frozenset[int] = frozenset()
    broke: bool = False
    """The words may come from an execution that broke."""


def find_refused(chunk: pa.Table, post: Callable[[pa.Table], Answer], max_calls: int = MAX_CALLS) -> Search:
    """Post `chunk` (shapes.CHUNK) in Test Mode, and again in parts where it is refused.

    `post` sends a table in Test Mode and may raise CJError. A refusal of a single order, and a CJ that breaks on a single order twice, are
    verdicts on that order; every other error passes through, for it says nothing about the orders. A bare HTTP status (a gateway in between, an address
    that moved) is a verdict on an order only beside others of which CJ was heard; where it is all there is, it is raised.
    """
    search = Search()
    keys = list(zip(chunk["action_tracker_id"].to_pylist(), chunk["order_id"].to_pylist(), strict=True))
    parts = [list(range(chunk.num_rows))] if chunk.num_rows else []
    broke_on = set[int]()
    while parts:
        positions = parts.pop()
        if search.calls >= max_calls:
            for position in positions:
                search.refused[position] = f"not told apart from the refused orders around it after {max_calls} requests"
            continue
        search.calls += 1
        said = _ask(chunk, positions, keys, post, search)
        search.passed.update(said.echoed)
        left = [p for p in positions if p not in said.echoed]
        # Alone, or the only one an answer full of echoes leaves out.
        alone = len(left) == 1 and (len(positions) == 1 or bool(said.words))
        if alone and said.broke and left[0] not in broke_on:
            broke_on.add(left[0])
            parts.append(left)
        elif alone:
            search.refused[left[0]] = said.words or "CJ's answer did not name it"
        elif left:
            parts.extend(_halves(left, said.hinted))
        if len(search.silent) >= MANY_SILENT:
            raise search.silent[0]
    if search.silent and not search.heard:
        raise search.silent[0]
    return search


def _ask(chunk: pa.Table, positions: list[int], keys: list[tuple[int, str]], post: Callable[[pa.Table], Answer], search: Search) -> _Said:
    whole = len(positions) == chunk.num_rows
    try:
        answer = post(chunk if whole else chunk.take(pa.array(positions)))
    except CJRefused as error:
        search.too_large |= is_too_large(error) and len(positions) > 1
        problems = getattr(error, "problems", ())
        if problems:
            _is_heard(search)
        elif error.status is not None and len(positions) == 1 and not is_too_large(error):
            search.silent.append(error)
        return _Said(without_values(words_of(problems), chunk) or str(error), broke=error.begun)
    except CJNoVerdict as error:
        if len(positions) == 1 or not is_too_large(error):
            raise
        search.too_large = True
        return _Said(str(error))  # smaller parts may pass
    _is_heard(search)
    named = [(order.action_tracker_id, order.order_id) for order in answer.orders]
    if whole and named == keys and not answer.errors:  # nearly always
        return _Said(echoed=frozenset(positions))
    echoes = set(named)
    echoed = frozenset(p for p in positions if keys[p] in echoes)
    words = without_values(words_of(answer.errors), chunk)
    pointed_at = {int(a or b) for problem in answer.errors for path in problem.fields for a, b in _POSITION.findall(path)}
    return _Said(words, frozenset(positions[n] for n in pointed_at if n < len(positions)) - echoed, echoed, answer.begun)


def _is_heard(search: Search) -> None:
    search.heard = True
    search.silent.clear()


def _halves(left: list[int], hinted: frozenset[int]) -> list[list[int]]:
    suspects = [p for p in left if p in hinted]
    if suspects and len(suspects) < len(left):
        others = [p for p in left if p not in hinted]
        return [others, *([p] for p in suspects)] if len(suspects) <= 32 else [others, suspects]
    middle = len(left) // 2
    return [part for part in (left[:middle], left[middle:]) if part]
