"""An order id that is somebody's e-mail address stays in CJ's records: a review asks by it, and writes its pseudonym wherever it tells of the order."""

from __future__ import annotations

from pathlib import Path

from include.domain.personal import pseudonym
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import Planted, fill, findings, order, reviewed, rows
from tests.restatements.prelock.test_extension import listed
from tests.restatements.prelock.test_pack import text_of
from tests.restatements.prelock.test_page import pages

ADA, BOB = "ada@example.org", "bob@example.org"


def test_an_address_is_told_of_by_its_pseudonym_and_by_what_is_true_of_it(world: WorldOn) -> None:
    ours = order(ADA)
    fill(world, {ADA: Planted(ours, (ours,), "refused", "unfit_id"), BOB: Planted(order(BOB), (), "not_in_warehouse", "unfit_id")})
    made = reviewed(world)
    assert findings(world) == {pseudonym(ADA): ("refused", "unfit_id"), pseudonym(BOB): ("not_in_warehouse", "unfit_id")}
    assert set(listed(made.files)) == {pseudonym(ADA), pseudonym(BOB)}
    said = text_of(made.files).replace(" ", "")
    assert pseudonym(ADA) in said and "example.org" not in said
    folder = Path(made.files.removeprefix("file://"))
    assert all(b"example.org" not in file.read_bytes() for file in folder.iterdir())
    assert not list(folder.glob("extension-*"))
    with pages(world) as app:
        page = app.page("/prelock", show="all")
        assert pseudonym(ADA) in page and "example.org" not in page
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.prelock_keys") == [{"n": 0}]
