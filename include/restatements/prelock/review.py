"""The verb: read CJ's news, sweep every open order, write the pack. Nothing is sent.

Killed or repeated at any moment it leaves the review before it as it was: a review counts once its row is in cj.prelock_sweeps, in the same transaction that takes
the rows of those before it away. Two at once have numbers of their own; one that a newer
one has overtaken does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from include.domain.errors import RestatementsError, SettingError
from include.domain.states import Mode
from include.restatements.adoption import adopt
from include.restatements.changes.extraction import file_to_edit, order_changes_sql
from include.restatements.changes.orders import check_where_they_are
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import journal_of, pack_folder
from include.restatements.ledger.accounts import LedgersRead, read_accounts
from include.restatements.prelock.document import document
from include.restatements.prelock.files import extension_file, extension_name, write_csv
from include.restatements.prelock.pack import Pack, Reviewed, collect, kept, pack_of
from include.restatements.prelock.rules import WRONG
from include.restatements.prelock.signing import newest_pack
from include.restatements.prelock.sweep import TOO_LATE_FOR, Asked, sweep
from include.restatements.prelock.words import hour
from include.restatements.settings import Settings
from include.sql import filled
from include.storage.folder import Folder
from include.warehouse.arrow import python_rows
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.warehouse.orders import OrdersSource

log = logging.getLogger(__name__)

NextNight = Callable[[datetime], datetime]
"""When the first night begins after a time of CJ's, aware UTC."""


def right_after(now: datetime) -> datetime:
    """Of a review with no schedule behind it: whoever made it runs the night next."""
    return now


@dataclass(frozen=True)
class Made:
    """One review, and where its files are."""

    pack: Pack
    files: str


def review(
    settings: Settings,
    location: WarehouseLocation,
    run_id: str,
    checkpoint: Checkpoint = no_checkpoint,
    orders: OrdersSource | None = None,
    next_night: NextNight = right_after,
) -> Made:
    """Every order open at CJ beside the warehouse's truth. What differs is planned again by the next night, which `next_night` tells.

    Raises SettingError, WarehouseError, StorageError, and CJError where no account can be reached. Where some can, the others are left out, and the pack says so.
    """
    if not settings.accounts:
        raise SettingError('No CJ account is configured. List its connection in the Variable cj_conn_ids, for instance ["cj"].')
    sql, journal = order_changes_sql(settings.order_changes_sql), journal_of(settings)
    with open_warehouse(location) as session:
        session.create_tables()
        check_where_they_are(session, sql, file_to_edit(settings.order_changes_sql), orders)
    read = read_accounts(settings.accounts, location, settings, checkpoint=checkpoint)
    if not read.reached:
        raise read.failures[0].named
    checkpoint("after_ledger")
    with open_warehouse(location) as session:
        with session.transaction():
            session.serialize("cj.plan")
            adopt(session, settings.advertisers)
        asked = Asked(
            _begin(session, run_id, read.now),
            run_id,
            settings,
            sql,
            read.now,
            next_night(read.now),
            _last_reviewed(session, read.now),
            orders,
            checkpoint,
        )
        swept = sweep(session, journal, asked, read.reached)
        carried, before = _carry(session, asked, read)
        pack = collect(session, asked, swept, (*_reviewed(settings, read), *carried), _problems(settings, read, carried), before)
        target = journal_of(settings).files.below(pack_folder(run_id))
        _write(session, target, pack)
        checkpoint("files_written")
        with session.transaction():
            session.serialize("cj.prelock")
            _keep(session, pack, target.url)
            checkpoint("before_review_commit")
    checkpoint("after_review_commit")
    return Made(pack, target.url)


def _begin(session: Session, run_id: str, now: datetime) -> int:
    """Takes a number higher than that of any review there was, also of those that never ended or are under way. Another try of a run is the same review anew."""
    with session.transaction():
        session.serialize("cj.prelock")
        found = session.rows(
            "SELECT MAX(n.review) AS newest FROM (SELECT review FROM cj.prelock_sweeps UNION ALL SELECT MAX(review) FROM cj.prelock_orders "
            "UNION ALL SELECT review FROM cj.prelock_begun) AS n"
        )[0]["newest"]
        number = 1 + (found if isinstance(found, int) else 0)
        session.execute("DELETE FROM cj.prelock_begun WHERE run_id = :run_id", {"run_id": run_id})
        session.execute(
            "INSERT INTO cj.prelock_begun (review, run_id, begun_at) VALUES (:review, :run_id, :now)",
            {"review": number, "run_id": run_id, "now": now},
        )
    return number


def _last_reviewed(session: Session, now: datetime) -> dict[str, datetime]:
    """Advertiser id → when its account was last read for a review, of the reviews that orders which cannot be mended any more are told of in."""
    found: dict[str, datetime] = {}
    for row in session.rows(
        "SELECT figures FROM cj.prelock_sweeps WHERE reviewed_at >= :since ORDER BY review DESC", {"since": now - TOO_LATE_FOR}
    ):
        pack = pack_of(str(row["figures"]))
        for one in pack.accounts if pack else ():
            found.setdefault(one.advertiser_id, one.as_of or pack.reviewed_at if pack else now)
    return found


def _carry(session: Session, asked: Asked, read: LedgersRead) -> tuple[tuple[Reviewed, ...], Pack | None]:
    """Takes over what the review before found of the accounts that could not be read now. Returns them, and that review."""
    before = newest_pack(session)
    failed = {one.account.advertiser_id for one in read.failures}
    carried = tuple(
        replace(one, as_of=one.as_of or before.reviewed_at)
        for one in (before.accounts if before else ())
        if before and one.advertiser_id in failed
    )
    with session.transaction():
        for one in carried:
            session.execute(
                filled("prelock_carried"),
                {"review": asked.number, "before": before.review if before else 0, "advertiser_id": one.advertiser_id},
            )
    return carried, before


def _reviewed(settings: Settings, read: LedgersRead) -> tuple[Reviewed, ...]:
    return tuple(
        Reviewed(
            conn_id=one.conn_id, enterprise_id=one.enterprise_id, advertiser_id=one.advertiser_id, currency=one.currency,
            mode=settings.effective_mode(one).value, extension_subscription_id=one.extension_subscription_id,
        )
        for one in read.reached
    )  # fmt: skip


def _problems(settings: Settings, read: LedgersRead, carried: tuple[Reviewed, ...]) -> list[str]:
    as_of = {one.advertiser_id: one.as_of for one in carried}
    told = []
    for left_out in read.failures:
        sentence = f"Account {left_out.account.conn_id!r} is not in this review, since its records could not be read: {left_out.error}"
        at = as_of.get(left_out.account.advertiser_id)
        told.append(f"{sentence} Its orders are shown as the review of {hour(at)} found them." if at else sentence)
    told += [
        f"Account {one.conn_id!r} is in Test Mode: the night asks CJ about what differs, and mends nothing."
        for one in read.reached
        if settings.effective_mode(one) is Mode.TEST
    ]
    for problem in told:
        log.warning("%s", problem)
    return told


def _write(session: Session, target: Folder, pack: Pack) -> None:
    """The CSV, an extension file for each account that has a subscription, and last the PDF."""
    with write_csv(_rows(session, pack, frozenset())) as file:
        target.write("pack.csv", file.read())
    for account in pack.accounts:
        if account.extension_subscription_id and pack.chosen(account.advertiser_id):
            content = extension_file(session, pack.review, account.advertiser_id, account.extension_subscription_id)
            target.write(extension_name(account.advertiser_id), content)
    wrong = (row for row in _rows(session, pack, frozenset({"near"})) if row["finding"] in WRONG)
    target.write("pack.pdf", document(pack, wrong, _rows(session, pack, frozenset({"broken"}))))


def _rows(session: Session, pack: Pack, asked: frozenset[str]) -> Any:
    for batch in session.stream(filled("page_prelock", asked=asked), {"review": pack.review}):
        yield from python_rows(batch)


def _keep(session: Session, pack: Pack, files: str) -> None:
    """Raises RestatementsError where a newer review has ended meanwhile: it took the rows of this one away with those of all before it."""
    newer = session.rows("SELECT MAX(review) AS newest FROM cj.prelock_sweeps")[0]["newest"]
    if isinstance(newer, int) and newer > pack.review:
        raise RestatementsError(
            f"Review {pack.review} was overtaken: review {newer} began after it and has ended. That one stands and is whole; nothing need be done."
        )
    session.execute("DELETE FROM cj.prelock_orders WHERE review < :review", {"review": pack.review})
    session.execute("DELETE FROM cj.prelock_begun WHERE review <= :review", {"review": pack.review})
    session.execute(
        "INSERT INTO cj.prelock_sweeps (review, run_id, reviewed_at, days_before_lock, digest, figures, files) "
        "VALUES (:review, :run_id, :reviewed_at, :days, :digest, :figures, :files)",
        {
            "review": pack.review, "run_id": pack.run_id, "reviewed_at": pack.reviewed_at, "days": pack.days_before_lock, "digest": pack.digest,
            "figures": kept(pack), "files": files,
        },
    )  # fmt: skip
