"""What can be turned on the sandbox, while it runs or when it starts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

REQUEST_WEATHER = (
    "unavailable", "overloaded", "too_many", "gateway", "cut_before", "cut_after", "truncated", "slow", "clock_steps", "execution_error", "partial_echo",
)  # fmt: skip
"""What requests can meet."""
UPDATE_WEATHER = (
    "lost", "late", "hidden", "half_pair", "corrected", "bonus", "lead", "unsaid", "lock_extended", "lock_early", "reposted",
)  # fmt: skip
"""What live updates can meet, while they are processed or afterwards."""
WEATHER_KINDS = (*REQUEST_WEATHER, *UPDATE_WEATHER)


class KnobError(ValueError):
    """A knob has a name or a value the sandbox does not know."""


@dataclass(frozen=True)
class Knobs:
    """Where no source settles what CJ does, a knob chooses; the rest make tests quick. All times in seconds."""

    delay_seconds: float = 3600.0
    """Between receipt and posting. Holds for what arrives after it was set."""
    late_share: float = 0.0
    """Share of live orders that post `late_seconds` later than the rest, chosen by a hash of the order and `chance_seed`."""
    late_seconds: float = 7200.0
    lost_share: float = 0.0
    """Share of live orders that are dropped without any reason, chosen by another hash."""
    chance_seed: str = "sandbox"
    partial_rejection: str = "whole"
    """`whole`: one order with a field error refuses the request; `orders`: only itself."""
    index_in_fields: bool = False
    """Whether an error's `fields` name the order: `restatedOrders[3].updateTime`, or only `updateTime`."""
    newest_by: str = "arrival"
    """Which of two updates out of order wins: the later `arrival`, or the greater `updateTime`."""
    reversal_discount: str = "minus"
    """Whether a reversal's order discount carries a `minus`, as its amount does, or is `plain`."""
    page_size: int = 10_000
    rate_limit: bool = True
    rate_calls: int = 200
    rate_seconds: float = 300.0
    """`rate_calls` in this many seconds of real time, a token, on Commission Detail."""
    retry_after: bool = True
    """Whether a 429 says how long to wait."""
    max_connections: int = 120
    close_after_days: int = 10
    """An order is `closed` this many days after it locked."""
    round_amounts: bool = False
    """Whether amounts are posted with no more decimals than the order's currency has, or as they were sent."""
    weather: float = 0.0
    """How bad the weather is (include.sandbox.weather): the share of live updates, and four times the share of requests, that meet something. 0 is calm."""
    weather_seed: str = "sandbox"
    """The same seed and the same calls, the same weather."""
    weather_kinds: str = ""
    """Which kinds it is made of, with commas between them; empty: all."""

    def __post_init__(self) -> None:
        if self.partial_rejection not in ("whole", "orders"):
            raise KnobError(f"partial_rejection is {self.partial_rejection!r}; it must be 'whole' or 'orders'.")
        if self.newest_by not in ("arrival", "updateTime"):
            raise KnobError(f"newest_by is {self.newest_by!r}; it must be 'arrival' or 'updateTime'.")
        if self.reversal_discount not in ("minus", "plain"):
            raise KnobError(f"reversal_discount is {self.reversal_discount!r}; it must be 'minus' or 'plain'.")
        if not 0 <= self.weather <= 1:
            raise KnobError(f"weather is {self.weather}; it is a share, from 0 (calm) to 1.")
        if unknown := set(self.kinds_of_weather) - set(WEATHER_KINDS):
            raise KnobError(f"weather_kinds has {', '.join(sorted(unknown))}; the weather is made of {', '.join(WEATHER_KINDS)}.")
        if not 1 <= self.page_size <= 10_000:
            raise KnobError(f"page_size is {self.page_size}; CJ's payload holds at most 10000 records, so it must be between 1 and 10000.")
        for name in ("delay_seconds", "late_share", "late_seconds", "lost_share", "rate_seconds", "close_after_days"):
            if getattr(self, name) < 0:
                raise KnobError(f"{name} is {getattr(self, name)}; it must not be negative.")

    @property
    def kinds_of_weather(self) -> tuple[str, ...]:
        chosen = tuple(kind.strip() for kind in self.weather_kinds.split(",") if kind.strip())
        return chosen or WEATHER_KINDS

    def changed(self, values: dict[str, Any]) -> Knobs:
        """These knobs with some turned. Raises KnobError for an unknown name or a value of the wrong type."""
        types = {f.name: type(f.default) for f in fields(Knobs)}
        for name, value in values.items():
            if name not in types:
                raise KnobError(f"There is no knob {name!r}. The sandbox has: {', '.join(sorted(types))}.")
            wanted = types[name]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = number if wanted is float else type(value) is wanted
            if not fits:
                raise KnobError(f"Knob {name!r} takes a {wanted.__name__}, not {value!r}.")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
