"""The pack says what was found, in figures that add up, on paper too; its digest is of the facts, and nothing that somebody noted is hidden in it."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest

from include.domain.errors import SettingError
from include.domain.prelock import Finding
from include.restatements.acknowledge import acknowledge
from include.restatements.journal.journal import journal_of
from include.restatements.prelock.rules import FACTS, FINDINGS
from include.restatements.prelock.signing import LONGEST_NOTE, sign
from include.restatements.prelock.sweep import found_sql
from include.restatements.rebuild import rebuild
from tests.model.histories import FIXED_DATE
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import night, quiet_night
from tests.restatements.prelock.planted import MUG, Planted, fill, order, planted, reviewed, rows, settings, since


def text_of(files: str) -> str:
    pages = pypdf.PdfReader(io.BytesIO((Path(files.removeprefix("file://")) / "pack.pdf").read_bytes())).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def a_break(world: WorldOn) -> None:
    """A restatement that CJ drops in silence: after the deadline it is missing."""
    broken = order("broken")
    fill(world, {"broken": Planted(broken, (broken,), "agrees", None)})
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["broken"]}])
    world.append([since(broken, amount=Decimal("50.00"), items=(MUG._replace(quantity=1),), updated_at=BEGIN - timedelta(minutes=1))])


def test_the_figures_add_up_and_the_document_shows_them(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    made = reviewed(world)
    pack = made.pack
    assert sum(pack.findings.values()) == pack.orders == len(orders)
    assert sum(lock.orders for lock in pack.locks) == len(orders)
    (near,) = (lock for lock in pack.locks if lock.near)
    # Restated 50.00 at 10 %, cancelled 100.00; what the warehouse does not have is paid whole.
    assert (near.day, near.orders, near.wrong, near.to_send, Decimal(near.at_stake)) == ("2026-03-10", 9, 7, 2, Decimal("25.00"))
    said = text_of(made.files)
    for words in (
        pack.digest,
        "2026-03-10",
        "25.00 USD",
        "restated",
        "cancelled",
        "unknown-here",
        "Account Manager > Subscriptions > Upload File",
    ):
        assert words in said, words


def test_the_same_facts_have_the_same_digest_and_another_fact_another(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    first = reviewed(world).pack
    world.advance(timedelta(hours=5))
    assert reviewed(world, "review_2").pack.digest == first.digest
    world.append([since(orders["agrees"].states[0], change_type="cancelled", correction_reason="Other")])
    assert reviewed(world, "review_3").pack.digest != first.digest


def test_a_sign_off_is_of_one_digest_and_comes_back_by_a_rebuild(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    made, journal = reviewed(world), journal_of(settings(world))
    for note in ("Looked at with Bo, bo@example.org.", "said twice"):
        assert sign(world.location, journal, made.pack.digest, note, "ana", "signed_1").digest == made.pack.digest
    with pytest.raises(SettingError, match="was looked at"):
        sign(world.location, journal, "0" * 16, "", "bo", "signed_2")
    with pytest.raises(SettingError, match="At most 2000"):
        sign(world.location, journal, made.pack.digest, "x" * (LONGEST_NOTE + 1), "bo", "signed_2")
    kept = rows(world, "SELECT run_id, digest, review, note, reviewed_by, shown FROM cj.prelock_reviews")
    assert [(one["run_id"], one["digest"], one["reviewed_by"], one["note"]) for one in kept] == [
        ("signed_1", made.pack.digest, "ana", "Looked at with Bo, [hidden]")
    ]
    quiet_night(world)
    assert reviewed(world, "review_2").pack.digest != made.pack.digest
    with pytest.raises(SettingError, match="look at it again"):
        sign(world.location, journal, made.pack.digest, "", "bo", "signed_2")
    before = rows(world, "SELECT * FROM cj.prelock_reviews")
    rebuild(world.settings, world.location)
    assert rows(world, "SELECT * FROM cj.prelock_reviews") == before


def test_nothing_is_signed_off_before_there_is_a_review(world: WorldOn) -> None:
    with pytest.raises(SettingError, match="no pre-lock review yet"):
        sign(world.location, journal_of(settings(world)), "0" * 16, "", "ana", "signed_1")


def test_a_break_that_somebody_noted_stays_in_the_pack(world: WorldOn) -> None:
    a_break(world)
    night(world)
    world.advance(timedelta(hours=40))
    world.reconcile()
    made = reviewed(world)
    (broken,) = made.pack.breaks
    assert broken.orders == 1
    acknowledge(world.journal, world.location, f"{world.enterprise}/{FIXED_DATE}/broken", "A case is open.", "ana", "note_1")
    again = reviewed(world, "review_2")
    assert (again.pack.breaks, again.pack.digest) == (made.pack.breaks, made.pack.digest)
    assert "ana: A case is open." in text_of(again.files)


def test_every_finding_has_its_rule_and_asks_of_facts_that_there_are() -> None:
    assert {rule.id for rule in FINDINGS} == set(Finding)
    assert FINDINGS[-1].condition == "TRUE"
    sql = found_sql()
    for fact in FACTS:
        assert f" AS {fact}" in sql, fact
    for rule in FINDINGS:
        assert rule.words and rule.source
        assert rule.advice or not rule.listed
