"""The page shows the review that stands: each row once over its parts, its files under names of its own, and whether somebody has looked at this very digest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

from include.restatements.journal.journal import journal_of, pack_folder
from include.restatements.prelock.files import COLUMNS
from include.restatements.prelock.signing import sign
from include.warehouse.base import open_warehouse
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import quiet_night
from tests.restatements.prelock.planted import fill, planted, reviewed, settings
from tests.web.ground import Served, served


@contextmanager
def pages(world: WorldOn) -> Iterator[Served]:
    """What the last finished task left for the pages."""
    with open_warehouse(world.location) as session:
        session.leave_snapshot()
    files = journal_of(world.settings).files
    with served(world.location, prelock_file=lambda run, name: files.read(f"{pack_folder(run)}/{name}")) as app:
        yield app


def test_before_there_is_a_review_the_page_says_so(world: WorldOn) -> None:
    with open_warehouse(world.location) as session:
        session.create_tables()
    with pages(world) as app:
        assert "There is no review yet" in app.page("/prelock")
        assert app.json("/prelock")["pack"] is None
        assert app.get("/prelock.csv").text.lstrip("\ufeff").split("\r\n") == [",".join(COLUMNS), ""]


def test_the_page_its_json_and_its_csv_hold_the_same_orders_once(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    made = reviewed(world)
    wrong = {name for name, one in orders.items() if one.finding != "agrees"}
    with pages(world) as app:
        page, told = app.page("/prelock"), app.json("/prelock")
        assert {row["order_id"] for row in told["rows"]} == wrong
        assert all(f">{name}</a>" in page for name in wrong) and made.pack.digest in page
        # Dearest first, what nobody can price last; the same in parts of two.
        parts, after = list[str](), None
        while True:
            part = app.json("/prelock", limit="2", **({"after": after} if after else {}))
            parts += [row["order_id"] for row in part["rows"]]
            after = part["next"]
            if after is None:
                break
        assert parts == [row["order_id"] for row in told["rows"]]
        assert (parts[0], told["rows"][0]["at_stake"]) == ("cancelled", {"amount": "10.00", "currency": "USD"})
        rows = list(csv.DictReader(io.StringIO(app.get("/prelock.csv").text.removeprefix("\ufeff"))))
        assert [row["order_id"] for row in rows] == parts
        for filters, expected in (
            ({"finding": "to_send"}, {"restated", "cancelled"}),
            ({"show": "extension", "extension": "chosen"}, {name for name, one in orders.items() if one.extension == "chosen"}),
            ({"order": "CANC"}, {"cancelled"}),
            ({"show": "breaks"}, set()),
            ({"finding": "nonsense"}, wrong),
        ):
            assert {row["order_id"] for row in app.json("/prelock", **filters)["rows"]} == expected, filters


def test_a_reviews_files_are_had_by_their_own_names_and_nothing_else_of_the_storage(world: WorldOn) -> None:
    fill(world, planted())
    made = reviewed(world)
    with pages(world) as app:
        told = app.json("/prelock")["files"]
        assert told == ["pack.pdf", "pack.csv", f"extension-{world.advertiser}.csv"]
        for name in told:
            answer = app.get(f"/prelock/files/{name}/{made.pack.run_id}")
            assert answer.status_code == 200 and answer.headers["content-disposition"].startswith("attachment")
        assert app.get("/prelock/files/pack.pdf/review_1").content[:5] == b"%PDF-"
        for address in ("pack.pdf/another", "manifest.json/review_1", "..%2Fsigned%2Fx.json/review_1", "extension-x.csv/review_1"):
            assert app.get(f"/prelock/files/{address}").status_code == 404, address
        assert app.get("/prelock/files/pack.pdf/review_1", {}).status_code == 401


def test_a_sign_off_is_shown_until_what_was_looked_at_is_another(world: WorldOn) -> None:
    fill(world, planted())
    made = reviewed(world)
    sign(world.location, journal_of(settings(world)), made.pack.digest, "Bo settles <b>two</b>.", "ana", "signed_1")
    with pages(world) as app:
        page = app.page("/prelock")
        assert "Looked at by ana" in page and "Bo settles &lt;b&gt;two&lt;/b&gt;." in page
    quiet_night(world)
    reviewed(world, "review_2")
    with pages(world) as app:
        page = app.page("/prelock")
        assert "Nobody has looked at this one" in page and "that has lapsed" in page
        assert [one["holds"] for one in app.json("/prelock")["signed"]] == [False]
