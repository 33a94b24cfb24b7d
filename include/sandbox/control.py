"""The control API's client: how a test or the demo moves the clock, breaks things, and looks behind the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import orjson

from include.sandbox.clock import instant, parse_instant


class ControlError(RuntimeError):
    """The sandbox refused a control call; the message is its own."""


class SandboxControl:
    """Talks to a running sandbox's `/_sandbox`. No token is needed."""

    def __init__(self, base_url: str, timeout: float = 120.0) -> None:
        self._http = httpx.Client(base_url=base_url.rstrip("/") + "/_sandbox", timeout=timeout, trust_env=False)

    def __enter__(self) -> SandboxControl:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def clock(self) -> datetime:
        return parse_instant(self._call("GET", "/clock")["now"])

    def advance(self, seconds: float) -> datetime:
        """Moves the sandbox's clock; returns its new time."""
        return parse_instant(self._call("POST", "/clock", {"advance_seconds": seconds})["now"])

    def set_clock(self, moment: datetime) -> datetime:
        """Sets the sandbox's clock to an aware moment."""
        return parse_instant(self._call("POST", "/clock", {"set": moment.isoformat()})["now"])

    def add_faults(self, faults: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Adds faults (see docs/sandbox.md); returns all active ones."""
        answer: list[dict[str, Any]] = self._call("POST", "/faults", [dict(f) for f in faults])
        return answer

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def act(self, acts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Has CJ, or a person there, do something (see include.sandbox.acts); returns every act so far with the number of orders it `met`."""
        answer: list[dict[str, Any]] = self._call("POST", "/acts", [_plain(a) for a in acts])
        return answer

    def acts(self) -> list[dict[str, Any]]:
        """Every act so far and to come, with when it is due and the number of orders it `met` (None: it is still to be done)."""
        answer: list[dict[str, Any]] = self._call("GET", "/acts")
        return answer

    def seed(
        self, directory: Path | None = None, *, accounts: Iterable[Mapping[str, Any]] = (), orders: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, int]:  # fmt: skip
        """Seeds from a folder the sandbox can read, or from accounts and orders given here. Returns what was added."""
        if directory is not None:
            asked: dict[str, Any] = {"directory": str(Path(directory).resolve())}
        else:
            asked = {"accounts": [dict(a) for a in accounts], "orders": [_plain(o) for o in orders]}
        answer: dict[str, int] = self._call("POST", "/seed", asked)
        return answer

    def orders(self) -> Iterator[dict[str, Any]]:
        """CJ's current state of every order, after processing all that is due."""
        return self._lines("/orders")

    def submissions(self) -> Iterator[dict[str, Any]]:
        """Every live order received and what became of it, in order of receipt."""
        return self._lines("/submissions")

    def calls(self) -> Iterator[dict[str, Any]]:
        """Every request to CJ's endpoints, in order."""
        return self._lines("/calls")

    def config(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("GET", "/config")
        return answer

    def configure(self, **knobs: Any) -> dict[str, Any]:
        """Turns knobs; returns all of them."""
        answer: dict[str, Any] = self._call("POST", "/config", knobs)
        return answer

    def weather(self) -> dict[str, int]:
        """How many requests and updates met each kind of weather, since it was turned."""
        answer: dict[str, int] = self._call("GET", "/weather")
        return answer

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, path, content=None if body is None else orjson.dumps(body))
        if response.status_code != 200:
            raise ControlError(f"The sandbox refused {method} /_sandbox{path}: {response.text}")
        return response.json()

    def _lines(self, path: str) -> Iterator[dict[str, Any]]:
        with self._http.stream("GET", path) as response:
            if response.status_code != 200:
                raise ControlError(f"The sandbox refused GET /_sandbox{path}: HTTP {response.status_code}")
            for line in response.iter_lines():
                if line:
                    yield orjson.loads(line)


def _plain(order: Mapping[str, Any]) -> dict[str, Any]:
    return {name: instant(v) if isinstance(v, datetime) else v for name, v in order.items()}
