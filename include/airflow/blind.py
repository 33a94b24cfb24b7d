"""Telling while the watch cannot look: without the settings, the warehouse and cj.notices.

What was told then stands in one file of the storage, `notices/blind.json`, until the watch looks again and cj.notices has it. Where the storage is away too, it
is told every hour: rather twice than never.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from include.airflow.connections import notifiers_from_airflow
from include.airflow.journal import journal_from_airflow
from include.airflow.notifying import LOG, Way, name_of, sent
from include.restatements.notices.kinds import Notice

log = logging.getLogger(__name__)

_FILE = "notices/blind.json"


def tell_blind(found: Sequence[Notice]) -> None:
    """Tells what was not told yet by the same way. Whatever goes wrong is a line of the log."""
    try:
        ways = {name_of(row): row for row in notifiers_from_airflow()}
    except Exception as error:  # noqa: BLE001 - the log is left
        log.warning("Whom to tell cannot be read: %s: %s", type(error).__name__, error)
        ways = {}
    told = told_blind()
    now = {
        (one.kind.value, one.about, way) for one in found for way in (LOG, *ways) if _is_told(one, way, told) or sent(one, ways.get(way))
    }
    try:
        journal_from_airflow().files.write(_FILE, json.dumps(sorted(now)).encode())
    except Exception as error:  # noqa: BLE001 - nothing here may hide what it tells of
        log.warning("What was told is not written down, and is told again in an hour: %s: %s", type(error).__name__, error)


def told_blind() -> frozenset[Way]:
    """What was told, and cj.notices does not have yet."""
    try:
        data = journal_from_airflow().files.read(_FILE)
        return frozenset((str(kind), str(about), str(way)) for kind, about, way in json.loads(data or b"[]"))
    except Exception as error:  # noqa: BLE001 - rather twice than never
        log.warning("What was told is not known: %s: %s", type(error).__name__, error)
        return frozenset()


def sees_again() -> None:
    """The watch has looked, and cj.notices has what was told. Raises StorageError."""
    journal_from_airflow().files.remove(_FILE)


def _is_told(one: Notice, way: str, told: frozenset[Way]) -> bool:
    return (one.kind.value, one.about, way) in told
