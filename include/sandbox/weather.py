"""The weather: everything that goes wrong at CJ, on the way to it and by hand, drawn from one seed.

`weather` (0 to 1) says how bad it is, `weather_seed` which weather it is, `weather_kinds` what it is made of. The nth call of a path since the weather was
turned, and the nth live update of an order, meet the same under the same seed, whatever else is sent. A request meets one of `REQUEST_WEATHER` with a
quarter of the share, an update one of `UPDATE_WEATHER` with the whole of it. Faults asked for by name come before it.

Calm (`weather=0`) is at once: nothing more is drawn, and what hands were still to do is left. What was lost stays lost; what is late or hidden arrives at
its time; what was done stands.

| kind | what |
|---|---|
| `unavailable` `overloaded` `too_many` `gateway` | HTTP 503, 504 with the work done, 429, a gateway's page |
| `cut_before` `cut_after` `truncated` | the connection ends before or after the work, or amid the answer |
| `slow` | the answer is done and comes a little later |
| `clock_steps` | this answer's `Date` is off, by up to ten minutes either way |
| `execution_error` `partial_echo` | `data: null` with a `path`, half of the orders named, live; with the rest of the work done or not |
| `lost` `late` | the update never posts, or up to a day later |
| `hidden` `half_pair` | its records, or those of its new state alone, show up to a day after they posted, behind ids read by then |
| `corrected` | hours after it posted a person corrects its amount, in either shape |
| `bonus` `lead` | a record of another action with its order id, often locked |
| `unsaid` | commission and fee of its records are null |
| `lock_extended` `lock_early` | its lock date moves a month away; it is locked ahead of time |
| `reposted` | its state is taken back and posted again under new commission ids |
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from include.sandbox.clock import instant, parse_instant
from include.sandbox.faults import Mark, mark
from include.sandbox.knobs import REQUEST_WEATHER, UPDATE_WEATHER, Knobs

REQUESTS_SHARE = 0.25
"""Of the updates' share: a request is thousands of updates, and some of them read."""
_NOT_ON = dict.fromkeys(("execution_error", "partial_echo"), ("/query", "/graphqltest"))
"""Paths that do not meet it. What Test Mode refuses is refused for good, so that the weather invents no refusal there."""
_HOURS = (1, 3, 8, 24)
_STEPS = (-600, -45, -3, 3, 45, 600)
_MONTH = timedelta(days=31)


@dataclass(frozen=True)
class Fate:
    """What an update meets: a mark for its processing, and acts afterwards (`after_seconds` from when it falls due)."""

    mark: Mark | None = None
    acts: tuple[dict[str, Any], ...] = field(default=())


class Weather:
    """Draws what each request and each update meets, and counts what was met since it was turned."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._met: Counter[str] = Counter()

    def turned(self) -> None:
        """The weather is another from here on: requests and what was met are counted anew."""
        with self._lock:
            self._requests.clear()
            self._met.clear()

    def met(self) -> dict[str, int]:
        """How many requests and updates met each kind."""
        with self._lock:
            return dict(sorted(self._met.items()))

    def of_request(self, path: str, knobs: Knobs) -> dict[str, Any] | None:
        """A fault for this request, in the form of include.sandbox.faults; None: it passes."""
        if not knobs.weather:
            return None
        with self._lock:
            self._requests[path] += 1
            random = _random(knobs, "request", path, self._requests[path])
            kinds = [kind for kind in REQUEST_WEATHER if kind in knobs.kinds_of_weather]
            kinds = [kind for kind in kinds if path not in _NOT_ON.get(kind, ())]
            if not kinds or random.random() >= knobs.weather * REQUESTS_SHARE:
                return None
            kind = random.choice(kinds)
            self._met[kind] += 1
        return _REQUEST[kind](random)

    def of_update(self, order: Mapping[str, Any], nth: int, due_at: str, knobs: Knobs) -> Fate:
        """What the nth live update of an order meets, that falls due at `due_at`."""
        identity = f"{order['enterpriseId']}/{order['actionTrackerId']}/{order['orderId']}"
        random = _random(knobs, "update", identity, nth)
        kinds = [kind for kind in UPDATE_WEATHER if kind in knobs.kinds_of_weather]
        if not kinds or random.random() >= knobs.weather:
            return Fate()
        kind = random.choice(kinds)
        with self._lock:
            self._met[kind] += 1
        found = _UPDATE[kind](random, due_at)
        key = {"order_ids": [order["orderId"]], "enterprise_id": order["enterpriseId"], "action_tracker_id": order["actionTrackerId"]}
        return Fate(found.mark, tuple(act | key for act in found.acts))


def _random(knobs: Knobs, *of: object) -> Random:
    text = "/".join(map(str, (knobs.weather_seed, *of)))
    return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()))


_REQUEST: dict[str, Callable[[Random], dict[str, Any]]] = {
    "unavailable": lambda r: {"kind": "status", "status": 503, "retry_after": 0, "done": r.random() < 0.3},
    "overloaded": lambda _: {"kind": "status", "status": 504, "done": True},
    "too_many": lambda _: {"kind": "status", "status": 429, "retry_after": 0},
    "gateway": lambda _: {"kind": "html"},
    "cut_before": lambda _: {"kind": "cut_before"},
    "cut_after": lambda _: {"kind": "cut_after"},
    "truncated": lambda _: {"kind": "truncate"},
    "slow": lambda r: {"kind": "slow", "seconds": r.choice((0.05, 0.2)), "done": True},
    "clock_steps": lambda r: {"kind": "date", "seconds": r.choice(_STEPS)},
    "execution_error": lambda r: {"kind": "execution_error", "done": r.random() < 0.5},
    "partial_echo": lambda r: {"kind": "partial_echo", "done": r.random() < 0.5},
}


def _corrected(random: Random, _: str) -> Fate:
    amount = f"{random.randint(0, 30_000) / 100:.2f}"
    act = {
        "kind": "correct",
        "amount": amount,
        "discount": None,
        "shape": random.choice(("pair", "difference")),
        "correction_reason": "OTHER_REASON",
    }
    return Fate(acts=(act | {"after_seconds": random.choice(_HOURS) * 3600},))


def _beside(action_type: str) -> Callable[[Random, str], Fate]:
    def beside(random: Random, _: str) -> Fate:
        act = {"kind": "record", "action_type": action_type, "commission": "5.00", "fee": "1.00", "after_seconds": random.choice((0, 3600))}
        return Fate(acts=(act | {"action_status": random.choice(("new", "locked", "closed"))},))

    return beside


def _lock_extended(random: Random, due_at: str) -> Fate:
    later = instant(parse_instant(due_at) + _MONTH)
    return Fate(acts=({"kind": "lock", "locking_date": later, "action_status": "extended", "after_seconds": random.choice(_HOURS) * 3600},))


_UPDATE: dict[str, Callable[[Random, str], Fate]] = {
    "lost": lambda *_: Fate(mark(drop=True)),
    "late": lambda r, _: Fate(mark(seconds=r.choice(_HOURS) * 3600)),
    "hidden": lambda r, _: Fate(mark(hide=r.choice(_HOURS) * 3600)),
    "half_pair": lambda r, _: Fate(mark(hide=r.choice(_HOURS) * 3600, half=True)),
    "corrected": _corrected,
    "bonus": _beside("bonus"),
    "lead": _beside("sim_lead"),
    "unsaid": lambda *_: Fate(acts=({"kind": "unsay"},)),
    "lock_extended": _lock_extended,
    "lock_early": lambda r, _: Fate(acts=({"kind": "lock", "action_status": "locked", "after_seconds": r.choice(_HOURS) * 3600},)),
    "reposted": lambda r, _: Fate(acts=({"kind": "repost", "after_seconds": r.choice((0, *_HOURS)) * 3600},)),
}
