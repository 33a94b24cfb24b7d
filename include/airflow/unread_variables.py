"""Variables that look like ours and that nothing reads: Airflow says nothing about a misspelled name, and the default holds."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from include.restatements.settings import TOLD, variable_of

PREFIX = "AIRFLOW_VAR_"


def read_by_nothing(environment: Iterable[str], variables: Iterable[str] = ()) -> list[str]:
    """A sentence for each name in the environment, and for each Variable in Airflow's database, that begins as ours do and is no setting."""
    ours = {variable_of(name) for name in TOLD}
    # Airflow looks for the name in capitals, and for nothing else.
    spelled = {f"{PREFIX}{name.upper()}" for name in ours}
    wrong = [(name, name[len(PREFIX) :]) for name in sorted(environment) if name.upper().startswith(f"{PREFIX}CJ_") and name not in spelled]
    wrong += [(f"Variable {name}", name) for name in sorted(variables) if name not in ours]
    return [f"{shown} is read by nothing{_meant(name, ours)}" for shown, name in wrong]


def _meant(name: str, ours: Iterable[str]) -> str:
    near = get_close_matches(name.lower(), sorted(ours), n=1, cutoff=0.75)
    return f"; did you mean {near[0]} ({PREFIX}{near[0].upper()})?" if near else "."
