"""The list to be put off names what CJ would take and nothing it would refuse; whoever reads CJ's format reads it, and what was left out says why."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.domain.errors import SettingError
from include.domain.prelock import Extension
from include.restatements.prelock.files import extension_file
from include.restatements.prelock.rules import EXTENSIONS
from include.warehouse.base import open_warehouse
from tests.model.histories import FIXED_DATE, OPEN_ENDED, TOTALS, pixel_order
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import PLACED, SUBSCRIPTION, Planted, fill, findings, order, planted, reviewed, since
from tests.restatements.prelock.reader import read


def folder_of(files: str) -> Path:
    return Path(files.removeprefix("file://"))


def listed(files: str) -> dict[str, dict[str, str]]:
    text = (folder_of(files) / "pack.csv").read_text(encoding="utf-8-sig")
    return {row["order_id"]: row for row in csv.DictReader(io.StringIO(text))}


def test_the_file_is_read_back_by_a_reader_of_the_format_and_holds_what_was_chosen(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    made = reviewed(world)
    read_back = read((folder_of(made.files) / f"extension-{world.advertiser}.csv").read_bytes())
    chosen = sorted(name for name, one in orders.items() if one.extension == "chosen")
    assert (read_back.cid, read_back.subscription, read_back.transactions, read_back.orders) == (world.advertiser, SUBSCRIPTION, [], chosen)
    assert {one.word: one.orders for one in made.pack.extensions} == {
        "chosen": len(chosen), "to_correct": 2, "not_in_warehouse": 1, "unfit_id": 1,
    }  # fmt: skip
    # All the others are in the CSV with the word that kept them out.
    assert {name: row["extension"] for name, row in listed(made.files).items() if row["extension"] not in ("", "chosen")} == {
        name: one.extension for name, one in orders.items() if one.extension not in (None, "chosen")
    }


LEFT_OUT = {
    "by-hand": "corrected", "by-file": "corrected", "reposted": "corrected", "extended": "extended", "closed": "locked", "sent": "on_its_way", "twice": "several",
    "travel": "other_locking", "nothing": "nothing_held",
}  # fmt: skip


def test_what_cj_would_refuse_is_left_out_with_its_reason(world: WorldOn) -> None:
    names = [*LEFT_OUT, "plain", "ö-1"]
    made = {name: order(name, OPEN_ENDED if name == "travel" else FIXED_DATE) for name in names}
    made["nothing"] = order("nothing", amount=Decimal("0.00"), items=None)
    fill(world, {name: Planted(one, (one,), "agrees", None) for name, one in made.items()})
    world.pixel([pixel_order(order("twice", TOTALS), PLACED)])
    lock = {"kind": "lock", "locking_date": "2026-03-10T00:00:00Z"}
    world.act("by-hand", [made["by-hand"].key], {"kind": "correct", "amount": "60.00", "correction_reason": "OTHER_REASON"})
    world.act(
        "by-file", [made["by-file"].key], {"kind": "correct", "amount": "60.00", "shape": "difference", "correction_reason": "OTHER_REASON"}
    )
    world.act("reposted", [made["reposted"].key], {"kind": "repost", "shape": "pair"})
    world.act("extended", [made["extended"].key], lock | {"action_status": "extended"})
    world.act("closed", [made["closed"].key], lock | {"action_status": "closed"})
    world.act("travel", [made["travel"].key], lock | {"action_status": "new"})
    world.append([since(made["sent"], change_type="cancelled", updated_at=world.now())])
    world.submit(sent := world.prepare(world.now() - timedelta(seconds=1), world.now() + timedelta(seconds=1)))
    world.publish(sent)
    again = reviewed(world)
    found = {name: extension for name, (_, extension) in findings(world).items() if extension is not None}
    assert found == LEFT_OUT | {"plain": "chosen", "ö-1": "chosen"}
    read_back = read((folder_of(again.files) / f"extension-{world.advertiser}.csv").read_bytes())
    assert (read_back.encoding, read_back.orders) == ("UTF-8", ["plain", "ö-1"])


def test_an_order_whose_returns_are_over_by_its_lock_is_no_question(world: WorldOn) -> None:
    orders = {"agrees": planted()["agrees"]}
    fill(world, orders)
    reviewed(world, return_days=17)  # placed on the 20th of February, locked on the 10th of March: eighteen days
    assert findings(world) == {}
    reviewed(world, "review_2", return_days=18)
    assert findings(world) == {"agrees": ("agrees", "chosen")}
    reviewed(world, "review_3", return_days=18, days_before_lock=2)
    assert findings(world) == {}
    assert reviewed(world, "review_4", return_days=None).pack.extensions == ()


def test_without_a_subscription_there_is_no_file_and_a_sentence_says_what_is_missing(world: WorldOn) -> None:
    fill(world, {"agrees": planted()["agrees"]})
    made = reviewed(world)
    with open_warehouse(world.location) as session, pytest.raises(SettingError, match="no extension_subscription_id"):
        extension_file(session, made.pack.review, world.advertiser, "")


def test_every_reason_for_being_left_out_has_its_rule() -> None:
    assert {rule.id for rule in EXTENSIONS} == set(Extension)
    assert EXTENSIONS[-1].condition == "TRUE"
    assert all(rule.words and rule.source and rule.advice for rule in EXTENSIONS)
