"""The money gate: what a plan is to change, account by account, compared with what is open at CJ and with the nights before.

Inside the plan's transaction, after the plan: it reads what is kept of the orders that are open, and the records of those that changed. Accounts in Test Mode
move nothing, and are not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from include.domain.account import Account
from include.domain.errors import AboveTheLimit
from include.domain.money import ZERO, exact_sum, money, money_text
from include.domain.states import Mode, Operation
from include.restatements.approval.held_open import bring_up, open_days
from include.restatements.approval.moves import Moved
from include.restatements.approval.rules import FEWEST_NIGHTS, NIGHTS_LOOKED_AT, Figures, reasons
from include.restatements.journal.documents import Judged, Manifest, Move
from include.restatements.settings import Run, Settings
from include.sql import filled
from include.warehouse.base import Session

A_BACKFILL = timedelta(days=2)
"""Runs of a backfill that were planned within it of each other, by CJ's time, are judged together."""


def judge(
    session: Session, run: Run, settings: Settings, moved: Moved, now: datetime, reading: int, sent: Sequence[Judged] = ()
) -> tuple[Judged, ...]:
    """What the gate says of a plan, an account each; `now` is CJ's present, `reading` the last one that the plan knows. `sent` is what earlier plans of the
    run sent, and no person let go: it counts with this one.

    Raises AboveTheLimit, past which nobody can approve.
    """
    judged = []
    for account in settings.accounts:
        moves = [move for move in moved.moves if move.enterprise_id == account.enterprise_id]
        if not moves or settings.effective_mode(account) is not Mode.LIVE:
            continue
        _within_the_limit(account, moves, settings)
        bring_up(session, account.advertiser_id, reading)
        figures = figures_of(session, run, settings, account, moved, now, sent)
        said = reasons(figures, settings) + _limit_not_known(moves, settings)
        judged.append(
            Judged(
                enterprise_id=account.enterprise_id,
                backfill=run.backfill,
                created=_orders(moves, Operation.CREATE),
                touched=_touched(moves),
                taken_back=money_text(_taken_back(moves)),
                open_orders=figures.open_orders,
                open_money=money_text(figures.open_money),
                reasons=said,
            )
        )
    return tuple(judged)


def keep_nights(session: Session, manifest: Manifest, plan_number: int) -> None:
    """Into cj.nights, inside the caller's transaction: the run's newest plan, and of its earlier ones what they sent."""
    session.execute("DELETE FROM cj.nights WHERE run_id = :run_id", {"run_id": manifest.run_id})
    rows = [(sent.plan_number, sent.digest, None, sent.planned_at, sent.judged) for sent in manifest.sent]
    newest = [(plan_number, manifest.digest, manifest.questions_before, manifest.cj_time, night) for night in manifest.gate]
    for number, digest, questions_before, planned_at, night in (*rows, *newest):
        session.execute(
            "INSERT INTO cj.nights (run_id, enterprise_id, plan_number, backfill, created, touched, taken_back, open_orders, open_money, asked_by, planned_at, "
            "plan_digest, questions_before) VALUES (:run_id, :enterprise_id, :plan_number, :backfill, :created, :touched, :taken_back, :open_orders, "
            ":open_money, :asked_by, :planned_at, :plan_digest, :questions_before)",
            {
                "run_id": manifest.run_id,
                "enterprise_id": night.enterprise_id,
                "plan_number": number,
                "backfill": night.backfill,
                "created": night.created,
                "touched": night.touched,
                "taken_back": money(night.taken_back),
                "open_orders": night.open_orders,
                "open_money": money(night.open_money),
                "asked_by": ", ".join(rule for rule, _ in night.reasons) or None,
                "planned_at": planned_at,
                "plan_digest": digest,
                "questions_before": questions_before,
            },
        )


def figures_of(
    session: Session, run: Run, settings: Settings, account: Account, moved: Moved, now: datetime, sent: Sequence[Judged] = ()
) -> Figures:
    """What the gate's rules are asked of, for one account. `sent` as of `judge`."""
    mine = [part for part in sent if part.enterprise_id == account.enterprise_id]
    moves = [move for move in moved.moves if move.enterprise_id == account.enterprise_id]
    days = open_days(session, run, settings, account, now)
    before = _backfill_before(session, run, account, now) if run.backfill else {"touched": 0, "taken_back": ZERO, "runs": 0}
    placed = {"now": sum(int(str(day["orders_now"])) for day in days), "before": sum(int(str(day["orders_before"])) for day in days)}
    cancelled = {when: moved.cancelled[(account.enterprise_id, when)] for when in placed}
    worse = max(placed, key=lambda when: (Decimal(cancelled[when]) / placed[when] if placed[when] else ZERO, cancelled[when]))
    return Figures(
        touched=_touched(moves) + sum(part.touched for part in mine) + int(str(before["touched"])),
        taken_back=exact_sum([_taken_back(moves), *(money(part.taken_back) for part in mine), money(str(before["taken_back"]))]),
        runs=1 + int(str(before["runs"])),
        open_orders=sum(int(str(day["orders"])) for day in days),
        open_money=exact_sum([ZERO, *(money(str(day["held"])) for day in days)]),
        usual_day=median([money(str(day["sold"])) for day in days]) if days else ZERO,
        usual=_usual(session, run, account),
        new_orders=placed[worse],
        new_cancelled=cancelled[worse],
        unseen_trackers=_unseen(session, account, moved),
    )


def _within_the_limit(account: Account, moves: Sequence[Move], settings: Settings) -> None:
    at_stake = exact_sum([ZERO, *(money(move.at_stake) for move in moves)])
    if settings.never_above is not None and at_stake > settings.never_above:
        raise AboveTheLimit(
            f"Account {account.conn_id!r}: money at stake this night is {money_text(at_stake)}, above {money_text(settings.never_above)}, which nobody can approve "
            "past (Variable cj_never_above). Nothing was planned and nothing was sent. Find out what changed so many orders; where it is right, raise the "
            "Variable, or narrow the query and send the night in parts. Then clear task prepare.",
            account.enterprise_id,
            money_text(at_stake),
        )


def _limit_not_known(moves: Sequence[Move], settings: Settings) -> list[tuple[str, str]]:
    unpriced = sum(move.unpriced for move in moves)
    if settings.never_above is None or not unpriced:
        return []
    return [
        (
            "limit_not_known",
            f"Of {unpriced} orders it is not known what is at stake, so whether the night stays below `never_above` is not known either.",
        )
    ]


def _orders(moves: Sequence[Move], *operations: Operation) -> int:
    return sum(move.orders for move in moves if move.operation in operations)


def _touched(moves: Sequence[Move]) -> int:
    return _orders(moves, Operation.RESTATE, Operation.CANCEL)


def _taken_back(moves: Sequence[Move]) -> Decimal:
    return exact_sum([ZERO, *(money(amount) for move in moves for amount in (move.taken_back, move.held_of_unmeasured))])


def _usual(session: Session, run: Run, account: Account) -> int | None:
    """By rank: of few nights the largest, whatever lies between two of them."""
    found = session.rows(filled("gate_nights"), {"enterprise_id": account.enterprise_id, "run_id": run.run_id, "nights": NIGHTS_LOOKED_AT})
    nights = sorted(int(str(row["touched"])) for row in found)
    return nights[-(-95 * len(nights) // 100) - 1] if len(nights) >= FEWEST_NIGHTS else None


def _backfill_before(session: Session, run: Run, account: Account, now: datetime) -> dict[str, object]:
    return session.rows(filled("gate_backfill"), {"enterprise_id": account.enterprise_id, "run_id": run.run_id, "since": now - A_BACKFILL})[
        0
    ]


def _unseen(session: Session, account: Account, moved: Moved) -> tuple[int, ...]:
    found = session.rows(
        "SELECT DISTINCT action_tracker_id FROM cj.tracker_readings WHERE advertiser_id = :advertiser_id",
        {"advertiser_id": account.advertiser_id},
    )
    seen = {row["action_tracker_id"] for row in found}
    return (
        tuple(sorted(tracker for enterprise, tracker in moved.trackers if enterprise == account.enterprise_id and tracker not in seen))
        if seen
        else ()
    )
