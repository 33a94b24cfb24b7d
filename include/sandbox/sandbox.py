"""One CJ: its store, clock, rules and endpoints, wired together."""

from __future__ import annotations

import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

from include.sandbox.accounts import DEFAULT, Accounts, add_accounts
from include.sandbox.acts import Acts
from include.sandbox.clock import Clock
from include.sandbox.commissions import Commissions
from include.sandbox.faults import Faults
from include.sandbox.knobs import Knobs
from include.sandbox.limits import Limits
from include.sandbox.processing import Processing
from include.sandbox.seed import seed_folder
from include.sandbox.store import Store
from include.sandbox.tracking import Tracking
from include.sandbox.weather import Weather

KNOBS = "knobs"


class Sandbox:
    """Opens the state file; makes the default account if there is no other. `turned` overrides the knobs the state remembers."""

    def __init__(self, state: Path, seed: Path | None, turned: dict[str, Any]) -> None:
        self.store = Store(state)
        self.clock = Clock(self.store)
        self.accounts = Accounts(self.store)
        self.faults = Faults(self.store)
        self.acts = Acts(self.store, self.clock, self.accounts)
        self.limits = Limits()
        self.weather = Weather()
        self._turning = threading.Lock()
        self.knobs = Knobs().changed(self.store.get_meta(KNOBS, {}))
        if turned:
            self.configure(turned)
        if seed is not None:
            seed_folder(self.store, self.accounts, seed, self.knobs)
        elif not len(self.accounts):
            add_accounts(self.store, [DEFAULT])
            self.accounts.reload()
        self.processing = Processing(self.store, self.clock, self.accounts, self.faults, self.acts)
        self.tracking = Tracking(self.store, self.clock, self.accounts, self.faults, self.acts, self.weather)
        self.commissions = Commissions(self.store, self.clock, self.accounts, self.processing, self.faults)

    def configure(self, turned: dict[str, Any]) -> Knobs:
        """Turns knobs, for good. Raises KnobError."""
        with self._turning:
            before, self.knobs = self.knobs, self.knobs.changed(turned)
            if any(getattr(before, f.name) != getattr(self.knobs, f.name) for f in fields(Knobs) if f.name.startswith("weather")):
                self.weather.turned()
                if not self.knobs.weather:
                    self.acts.calm()
            self.store.set_meta(KNOBS, self.knobs.as_dict())
            return self.knobs
