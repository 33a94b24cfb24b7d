"""What can be wrong with Python, the connections, CJ, the storage and the pools: each is found, says its remedy, and stops no other check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from include.airflow.pools import slots
from include.restatements.doctor import machine
from include.restatements.doctor.checks import Check, Notes, State, examine, right
from lab.scale.bucket import connection as bucket_connection
from tests.restatements.doctor.ground import Ground, pools_table, states, wrong
from tests.sandbox.shop import OTHER_ACCOUNT
from tests.storage.conftest import bucket_url, s3
from tests.storage.proxy import Handler, proxy_before

__all__ = ["bucket_url", "s3"]

Spoiled = Callable[[Ground], None]


def spoil(**extra: str | None) -> Spoiled:
    """The connection `cj` with this in its extra."""
    return lambda ground: ground.account(**extra)


WRONG: dict[str, tuple[Spoiled, str, str, str]] = {
    "no connection of the account": (
        lambda g: g.monkeypatch.delenv("AIRFLOW_CONN_CJ"),
        "connection (cj)", "There is no connection 'cj' that Airflow can read", "Admin, Connections, cj; in the environment: AIRFLOW_CONN_CJ.",
    ),
    "no token": (lambda g: g.account(password=""), "connection (cj)", "has no password: put CJ's personal access token there", "Admin, Connections, cj"),
    "an extra is missing": (spoil(enterprise_id=None), "connection (cj)", "extra has no enterprise_id. Add it", "Admin, Connections, cj"),
    "an extra that nothing reads": (spoil(enterprise="1"), "connection (cj)", "extra has enterprise, which nothing reads", "Admin, Connections, cj"),
    "a token over http": (
        spoil(tracking_url="http://tracking.example.com"), "connection (cj)", "a token is only sent over https, or to loopback", "Admin, Connections, cj",
    ),
    "a token that CJ refuses": (lambda g: g.account(password="old-token"), "token (cj)", "does not accept the token ('Invalid Token')", "put your own account"),
    "an address where nobody listens": (spoil(tracking_url="http://127.0.0.1:9"), "token (cj)", "cannot be reached", "names a sandbox of this machine"),
    "somebody else's enterprise": (spoil(enterprise_id="1500002"), "enterprise (cj)", "may not act for enterprise 1500002", "Admin, Connections, cj"),
    "somebody else's advertiser": (spoil(advertiser_id="5500002"), "advertiser (cj)", "may not act for advertiser 5500002", "Admin, Connections, cj"),
    "accounts that are no list": (lambda g: g.variable("cj_conn_ids", "cj"), "accounts", "Variable cj_conn_ids is 'cj'; it must be", "cj_conn_ids"),
    "a Variable that is no number": (lambda g: g.variable("cj_chunk_size", "many"), "settings", "it must be a whole number", "Admin, Variables"),
    "no connection of the warehouse": (
        lambda g: g.monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE"), "warehouse_connection", "There is no connection 'warehouse'", "Admin, Connections, warehouse",
    ),
    "a warehouse of another kind": (
        lambda g: g.warehouse({"conn_type": "snowflake", "host": "x"}), "warehouse_connection", "'snowflake', which is not supported", "Admin, Connections",
    ),
    "a storage that takes no file": (
        lambda g: g.variable("cj_storage", f"file://{g.place / 'shop.duckdb'}/below"), "storage", "Could not create", "It is the Variable cj_storage",
    ),
    "a storage's connection that is not there": (
        lambda g: g.variables(cj_storage="s3://b/x", cj_storage_conn_id="gone"), "storage", "names connection 'gone'", "cj_storage_conn_id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_is_found_with_its_remedy_and_alone(ground: Ground, name: str) -> None:
    ground.cj.control.seed(accounts=[OTHER_ACCOUNT])
    spoiled, check, sentence, remedy = WRONG[name]
    spoiled(ground)
    findings = ground.examined()
    found = wrong(findings)
    # An enterprise that is not the orders' own is found in them too.
    assert set(found) - ({"orders"} if check == "enterprise (cj)" else set()) == {check}
    assert sentence in found[check].split(" → ")[0]
    assert remedy in found[check].split(" → ")[1]
    assert {one.because for one in findings.values()} - {""} <= set(found)
    assert findings["python"].found.state is State.RIGHT


def test_what_depends_on_it_says_so_and_the_rest_is_asked(ground: Ground) -> None:
    ground.account(password="old-token")
    found = ground.examined()
    assert found["ids (cj)"].found.sentence == "Not asked, because of token (cj): mend that first."
    assert {name for name, state in states(found).items() if state == "not_asked"} == {
        "clock (cj)", "warehouse_clock", "advertiser (cj)", "enterprise (cj)", "ids (cj)", "trackers (cj)", "basis (cj)",
    }  # fmt: skip
    assert found["orders"].found.state is State.RIGHT


def test_one_accounts_mistake_leaves_the_others_asked(ground: Ground) -> None:
    ground.variable("cj_conn_ids", '["cj", "cj_uk"]')
    found = ground.examined()
    assert set(wrong(found)) == {"connection (cj_uk)"}
    assert found["ids (cj)"].found.state is State.RIGHT
    assert found["ids (cj_uk)"].because == "connection (cj_uk)"


def test_two_connections_of_one_enterprise_are_found(ground: Ground) -> None:
    ground.variable("cj_conn_ids", '["cj", "cj_uk"]')
    ground.connection(
        "cj_uk", {"conn_type": "http", "password": ground.token, "extra": {"enterprise_id": ground.enterprise, "advertiser_id": "1"}}
    )
    assert "have the same enterprise_id: every order would be sent twice" in wrong(ground.examined())["settings"]


@pytest.mark.parametrize(("version", "state"), [((3, 10), "mend"), ((3, 11), "right"), ((3, 12), "right"), ((3, 13), "look")])
def test_a_python_too_old_for_the_lock_is_found(ground: Ground, version: tuple[int, int], state: str) -> None:
    found = ground.examined(Notes(python=version, patience=0.2))["python"].found
    assert found.state.value == state
    assert state == "right" or "make setup PYTHON=" in found.remedy


def test_packages_that_are_not_there_and_other_versions_are_found(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# made by hand\nduckdb==0.0.1\n    # via nobody\nno-such-package==1.0\nonly-there==1 ; sys_platform == 'plan9'\n")
    found = machine.packages(Notes(), "", lock)
    assert (found.state, found.sentence) == (State.MEND, "no-such-package of requirements.txt are not installed.")
    lock.write_text("duckdb==0.0.1\n")
    found = machine.packages(Notes(), "", lock)
    assert (found.state, "instead of 0.0.1" in found.sentence, "make setup" in found.remedy) == (State.LOOK, True, True)


@pytest.mark.parametrize(("hours", "words"), [(3, "3 h 0 min behind CJ's"), (-49, "2 days ahead of CJ's")])
def test_a_clock_that_is_off_by_hours_is_found(ground: Ground, hours: int, words: str) -> None:
    ground.cj.control.advance(hours * 3600)
    found = wrong(ground.examined())
    assert words in found["clock (cj)"]
    assert "NTP" in found["clock (cj)"]
    assert "The warehouse's clock is" in found["warehouse_clock"]


def through(ground: Ground, bucket: str, url: str) -> None:
    """The storage is this bucket, reached at this address. A connection's name is used once: the file system of a name is kept."""
    name = f"at_{urlsplit(url).port}"
    ground.connection(name, json.loads(bucket_connection(url)))
    ground.variables(cj_storage=bucket, cj_storage_conn_id=name)


def test_a_storage_whose_creation_is_not_exclusive_is_found(ground: Ground, s3: object, bucket_url: str) -> None:
    def ignore(handler: Handler) -> bool:
        del handler.headers["If-None-Match"]
        return False

    with proxy_before(s3.url) as proxy:  # type: ignore[attr-defined]
        proxy.faults.append(ignore)
        through(ground, bucket_url, proxy.url)
        found = wrong(ground.examined())
    assert set(found) == {"storage"}
    assert "cannot create a file exclusively, which keeps a chunk from being posted twice" in found["storage"]


def test_a_store_that_is_exclusive_until_two_meet_is_found(ground: Ground, s3: object, bucket_url: str) -> None:
    """One after another it refuses the second; at once it lets all of them through."""

    def ignore(handler: Handler) -> bool:
        if "doctor" in handler.path:
            del handler.headers["If-None-Match"]
        return False

    with proxy_before(s3.url) as proxy:  # type: ignore[attr-defined]
        proxy.faults.append(ignore)
        through(ground, bucket_url, proxy.url)
        found = wrong(ground.examined())
    assert "6 of 6 writers that created one file" in found["storage"]
    assert "Variable cj_storage" in found["storage"].split(" → ")[1]


def test_a_bucket_that_is_exclusive_is_right(ground: Ground, s3: object, bucket_url: str) -> None:
    through(ground, bucket_url, s3.url)  # type: ignore[attr-defined]
    assert ground.examined()["storage"].found.state is State.RIGHT


def test_pools_are_asked_of_airflows_own_database(ground: Ground) -> None:
    """Two of its tables are made for this test alone: the whole database takes a quarter of a minute."""
    from airflow.models.pool import Pool

    from include.airflow.pools import create_missing_pools

    assert "Make it with `airflow db migrate`" in wrong(ground.examined(slots=slots))["pools"]
    with pools_table():
        found = wrong(ground.examined(slots=slots))["pools"]
        assert "no pool cj_submit and no pool cj_warehouse: Airflow never starts a task" in found
        assert "airflow pools set cj_submit 2 cj; airflow pools set cj_warehouse 1 cj" in found
        create_missing_pools()
        assert ground.examined(slots=slots)["pools"].found.state is State.RIGHT
        Pool.create_or_update_pool("cj_warehouse", 4, "", include_deferred=False)
        assert "A file has one writer" in ground.examined(slots=slots)["pools"].found.sentence


def test_a_check_that_breaks_stops_no_other_and_shows_nothing() -> None:
    def broken(notes: Notes, whose: str) -> object:
        raise sqlite3.Error("with somebody@example.com in it")

    checks = (Check("a", "a", broken, "Do it."), Check("b", "b", lambda n, w: right("Fine."), ""), Check("c", "c", broken, "", ("a",)))  # type: ignore[arg-type]
    found = list(examine(checks, Notes()))
    assert [one.found.state.value for one in found] == ["mend", "right", "not_asked"]
    assert found[0].found.sentence == "This could not be asked: Error, which is no error of ours."
    assert found[0].found.remedy == "Do it. If that is right, it is a fault of the package: report it."


def test_few_seconds_apart_no_clock_is_wrong(ground: Ground) -> None:
    ground.cj.control.advance(timedelta(minutes=2).total_seconds())
    assert wrong(ground.examined()) == {}
