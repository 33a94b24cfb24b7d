"""Which night a run is about: however Airflow was told to start it, the interval is its date's own, or the run stops with the command that works."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.sdk import CronDataIntervalTimetable
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import DataInterval, TimeRestriction

from include.airflow.defaults import NIGHTLY
from include.airflow.runs import run_of
from include.domain.errors import SettingError

TIMETABLE = coerce_to_core_timetable(CronDataIntervalTimetable(NIGHTLY, timezone="UTC"))
NOW = pendulum.datetime(2026, 11, 28, 9)
LAST_NIGHT = (datetime(2026, 11, 27, 2, tzinfo=UTC), datetime(2026, 11, 28, 2, tzinfo=UTC))


def context(interval: DataInterval | None, dated: datetime | None) -> dict[str, Any]:
    """What a task is given; where there is no date or interval, Airflow leaves the names out."""
    given = {"logical_date": dated} if dated else {}
    return {"run_id": "run"} | given | ({"data_interval_start": interval.start, "data_interval_end": interval.end} if interval else {})


def by_the_command_line(dated: pendulum.DateTime) -> dict[str, Any]:
    """`airflow dags trigger --logical-date`: the interval is that of now (airflow.api.common.trigger_dag)."""
    return context(TIMETABLE.infer_manual_data_interval(run_after=NOW), dated)


def by_the_page(dated: pendulum.DateTime) -> dict[str, Any]:
    """The button, the API, `dags test`: the last interval that was over at the date."""
    return context(TIMETABLE.infer_manual_data_interval(run_after=dated), dated)


def by_the_schedule(after: pendulum.DateTime) -> dict[str, Any]:
    """The schedule and a backfill: the date is the interval's begin."""
    found = TIMETABLE.next_dagrun_info(last_automated_data_interval=None, restriction=TimeRestriction(after, None, catchup=True))
    assert found
    return context(found.data_interval, found.logical_date)


@pytest.mark.parametrize("start", [by_the_page, by_the_schedule])
@pytest.mark.parametrize("hours", [0, 1, 23, 24, 24 * 200 + 5])
def test_a_run_with_its_dates_own_interval_is_that_night(start: Any, hours: int) -> None:
    given = start(NOW.subtract(hours=hours))
    night = run_of(given)
    assert (night.interval_start, night.interval_end) == (given["data_interval_start"], given["data_interval_end"])


def test_the_night_that_is_over_may_be_started_by_the_command_line() -> None:
    for hours in (0, 7, 8, 31):
        assert (run_of(by_the_command_line(NOW.subtract(hours=hours))).interval_start, LAST_NIGHT[1]) == LAST_NIGHT


@pytest.mark.parametrize(
    "dated",
    [NOW.subtract(hours=31, microseconds=1), NOW.subtract(days=90), NOW.add(hours=17), NOW.add(days=4), pendulum.datetime(2026, 11, 24, 2)],
)
def test_another_nights_interval_stops_the_run_with_a_command_that_runs_the_night_of_its_date(dated: pendulum.DateTime) -> None:
    with pytest.raises(SettingError, match=r"another night's.*Nothing was read and nothing was sent") as caught:
        run_of(by_the_command_line(dated))
    said = re.search(
        r"airflow backfill create --dag-id cj_restatements --from-date (\S+) --to-date (\S+) --reprocess-behavior completed$",
        str(caught.value),
    )
    assert said
    begin, end = (pendulum.parse(day) for day in said.groups())
    assert isinstance(begin, pendulum.DateTime)
    assert isinstance(end, pendulum.DateTime)
    (night,) = _runs(begin, end)
    assert night.start <= dated < night.end
    assert night.end - night.start == timedelta(days=1)


def _runs(begin: pendulum.DateTime, end: pendulum.DateTime) -> list[DataInterval]:
    """The nights that a backfill of these dates has."""
    found: list[DataInterval] = []
    while info := TIMETABLE.next_dagrun_info(
        last_automated_data_interval=found[-1] if found else None, restriction=TimeRestriction(begin, end, catchup=True)
    ):
        assert info.data_interval
        found.append(info.data_interval)
    return found


def test_a_run_without_an_interval_names_a_command() -> None:
    with pytest.raises(SettingError, match=r"no data interval.*--from-date 2026-03-01 --to-date 2026-03-02"):
        run_of(context(None, None))


@pytest.mark.parametrize("run_type", list(DagRunType))
def test_a_run_of_a_backfill_is_known_as_one(run_type: DagRunType) -> None:
    night = run_of(by_the_schedule(NOW) | {"dag_run": SimpleNamespace(run_type=run_type)})
    assert night.backfill is (run_type is DagRunType.BACKFILL)
