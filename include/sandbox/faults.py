"""Everything that can be made to go wrong: requests that fail on the way, and orders CJ loses, delays or alters.

Request faults (`status` `html` `cut_before` `cut_after` `slow` `truncate` `date`) hit the `times` next matching requests (default 1) after
`after_calls` of them passed. So do answer faults (`execution_error` `partial_echo` `stranger`), on the tracking endpoints alone: the request is worked
off, and its GraphQL answer says less, or something else, than was done. Order faults (`drop` `delay` `alter` `hide`) hit every live update of the named
orders, or the first `times` of each; `refuse` answers every request that carries them, Test Mode's too, with `message` for each. `garble` answers
Commission Detail with `value`, whatever JSON it is, in the `field` (`items.sku` is a field of each item) of every record of the named orders, for as
long as it is active. They are kept in the state file, so a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.store import Store

REQUEST_KINDS = frozenset({"status", "html", "cut_before", "cut_after", "slow", "truncate", "date"})
ANSWER_KINDS = frozenset({"execution_error", "partial_echo", "stranger"})
ORDER_KINDS = frozenset({"drop", "delay", "alter", "hide", "refuse", "garble"})
ALTERABLE = frozenset({"amount", "discount", "items", "coupon", "correction_reason", "validation_status"})
_KNOWN = {
    "request": frozenset({"kind", "path", "operation", "times", "after_calls", "status", "retry_after", "seconds", "done"}),
    "answer": frozenset({"kind", "path", "operation", "times", "after_calls", "done", "message", "order_id", "instead"}),
    "order": frozenset({"kind", "order_ids", "times", "seconds", "field", "value", "message", "half"}),
}
REFUSAL = "Order may not be accepted"
BROKEN = "The field was declared as a non null type, but the code involved in retrieving data has wrongly returned a null value"
NOT_TRACKING = "/query"
META = "faults"

Mark = dict[str, Any]
"""What faults do to one update: {"drop": bool, "seconds": later, "alter": [{"field", "value"}], "hide": seconds unseen, "half": of the new state alone}."""


def mark(*, drop: bool = False, seconds: float = 0, alter: Iterable[dict[str, Any]] = (), hide: float = 0, half: bool = False) -> Mark:
    """What an update meets, whole: seconds that it posts later (`seconds`) and shows later (`hide`)."""
    return {"drop": drop, "seconds": seconds, "alter": list(alter), "hide": hide, "half": half}


class FaultError(ValueError):
    """A fault the sandbox cannot make."""


def checked(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The fault, if it can be made. Raises FaultError."""
    kind = spec.get("kind")
    kinds = {"request": REQUEST_KINDS, "answer": ANSWER_KINDS, "order": ORDER_KINDS}
    family = next((name for name, members in kinds.items() if kind in members), None)
    if family is None:
        raise FaultError(f"Fault kind {kind!r} is unknown; it must be one of {', '.join(sorted(frozenset().union(*kinds.values())))}.")
    known = _KNOWN[family]
    unknown = spec.keys() - known
    if unknown:
        raise FaultError(f"A {kind!r} fault takes {', '.join(sorted(known))}; not {', '.join(sorted(unknown))}.")
    if kind in ORDER_KINDS and not isinstance(spec.get("order_ids"), list):
        raise FaultError(f"A {kind!r} fault needs order_ids, a list of order ids.")
    if kind in ANSWER_KINDS and spec.get("path") == NOT_TRACKING:
        raise FaultError(f"A {kind!r} fault is about orders that are sent: {NOT_TRACKING} takes none.")
    if kind == "alter" and spec.get("field") not in ALTERABLE:
        raise FaultError(f"An 'alter' fault needs a field, one of {', '.join(sorted(ALTERABLE))}.")
    if kind == "garble" and not isinstance(spec.get("field"), str):
        raise FaultError("A 'garble' fault needs a field of Commission Detail, and may have any value.")
    if kind in ("delay", "slow", "hide", "date") and not isinstance(spec.get("seconds"), (int, float)):
        raise FaultError(f"A {kind!r} fault needs seconds, a number.")
    return dict(spec)


@dataclass
class _Active:
    spec: dict[str, Any]
    seen: int
    """Matching requests so far."""
    hits: dict[str, int]
    """Updates hit so far, by order id."""

    def __post_init__(self) -> None:
        self.order_ids = frozenset(self.spec.get("order_ids", ()))


class Faults:
    """The faults that are active; each call asks whether one of them meets it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = store.lock  # the store's own: whoever writes may meet a fault, and a fault met is written
        self._active = [_Active(**saved) for saved in store.get_meta(META, [])]

    def add(self, specs: Iterable[Mapping[str, Any]]) -> None:
        """Adds faults to those active. Raises FaultError, and then adds none."""
        new = [_Active(checked(s), 0, {}) for s in specs]
        with self._lock:
            self._active += new
            self._save()

    def clear(self) -> None:
        """Ends all faults. What a `drop`, `delay` or `alter` already marked keeps its mark."""
        with self._lock:
            self._active = []
            self._save()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [a.spec | {"seen": a.seen, "hits": sum(a.hits.values())} for a in self._active]

    def _save(self) -> None:
        self._store.set_meta(META, [{"spec": a.spec, "seen": a.seen, "hits": a.hits} for a in self._active])

    def for_request(self, path: str, body: bytes) -> dict[str, Any] | None:
        """The first fault this request meets, if any; the others do not count it."""
        with self._lock:
            for fault in self._active:
                spec = fault.spec
                if spec["kind"] in ORDER_KINDS or spec.get("path", path) != path:
                    continue
                if spec["kind"] in ANSWER_KINDS and path == NOT_TRACKING:
                    continue
                if "operation" in spec and spec["operation"].encode() not in body:
                    continue
                after, times = spec.get("after_calls", 0), spec.get("times", 1)
                if fault.seen >= after + times:
                    continue
                fault.seen += 1
                self._save()
                if fault.seen > after:
                    return spec
        return None

    def for_order(self, order_id: str) -> Mark | None:
        """What one live update of an order meets. The caller writes it down with the update, and then calls `remember`."""
        if not self._active:
            return None
        met = []
        with self._lock:
            for fault in self._active:
                spec = fault.spec
                if spec["kind"] not in ORDER_KINDS - {"refuse", "garble"} or order_id not in fault.order_ids:
                    continue
                times = spec.get("times")
                if times is None or fault.hits.get(order_id, 0) < times:
                    if times is not None:
                        fault.hits[order_id] = fault.hits.get(order_id, 0) + 1
                    met.append(spec)
        if not met:
            return None
        hiding = [s for s in met if s["kind"] == "hide"]
        return mark(
            drop=any(s["kind"] == "drop" for s in met),
            seconds=sum(s["seconds"] for s in met if s["kind"] == "delay"),
            alter=[{"field": s["field"], "value": s.get("value")} for s in met if s["kind"] == "alter"],
            hide=sum(s["seconds"] for s in hiding),
            half=any(s.get("half") for s in hiding),
        )

    def refusals(self) -> dict[str, str]:
        """CJ's words by order id, for the orders it refuses in any request."""
        with self._lock:
            refusing = [fault for fault in self._active if fault.spec["kind"] == "refuse"]
            return {order_id: fault.spec.get("message", REFUSAL) for fault in refusing for order_id in fault.order_ids}

    def garbled(self) -> dict[str, dict[str, Any]]:
        """What stands in the fields of an order's records instead, by order id."""
        with self._lock:
            found: dict[str, dict[str, Any]] = {}
            for spec in (fault.spec for fault in self._active if fault.spec["kind"] == "garble"):
                for order_id in spec["order_ids"]:
                    found.setdefault(order_id, {})[spec["field"]] = spec.get("value")
        return found

    def remember(self) -> None:
        """Writes down how often the faults have hit."""
        with self._lock:
            if any(a.hits for a in self._active):
                self._save()
