"""The gate: which order changes may go on to CJ, judged by Great Expectations.

How it works. Changes stream through in batches of a few hundred thousand; each is turned into findings (`quality_findings`), judged
(`suite`) and split into good and bad rows. One result with counts is left on disk (`results`).

Nothing may be sent before the iteration has ended: only then is it known whether too many rows failed, and then it raises. Rows of which
surely too many fail are set aside on disk, counted but not named, so a column that broke overnight costs seconds; should the
rest of the night bring the share back under the limit, they are taken up again, in order.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.errors import QuarantineRatioExceeded
from include.domain.personal import pseudonym
from include.domain.shapes import CHANGES, INSTANT, KEY
from include.restatements.gate.batches import SetAside, whole_keys
from include.restatements.gate.blanks import without_blanks
from include.restatements.gate.cents import in_cents
from include.restatements.gate.findings import findings, one_array
from include.restatements.gate.items import Flags, combine_small_lines
from include.restatements.gate.nobodys import ASKED, HeardOf, Kept, asked_about, could_go, known_of
from include.restatements.gate.results import merged_result, write
from include.restatements.gate.storable import kept_text, kept_time, without_the_unstorable
from include.restatements.gate.suite import MALFORMED_COLUMN, Judge, Rule, rules

BATCH_ROWS = 100_000
"""What Great Expectations costs for a batch, however small, is then less than what it costs for the rows in it; and it is some 50 MB."""

RATIO_COUNTS_FROM = 20
"""Failed orders below which `max_quarantine_ratio` is not looked at: one bad row of ten is no broken night."""

#: Columns of cj.quarantine that the gate knows; the caller adds run_id, stage and quarantined_at.
QUARANTINED = pa.schema(
    [
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("updated_at", INSTANT),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True)
class Inspected:
    """One batch, split. `good` is in shapes.CHANGES, `bad` in QUARANTINED, both in the order they came."""

    good: pa.Table
    bad: pa.Table
    as_given: pa.Table | None = None
    """The good rows as the warehouse spells them; None where that is how they go on."""
    nobodys: pa.Table | None = None
    """Rows that break a rule and could not go to CJ anyway: no publisher brought them, and CJ has not heard of them. Like `bad`."""


@dataclass(frozen=True)
class QualityResult:
    """What the gate saw of the rows that could go to CJ. `by_reason` adds up to `failed`, except in a refused run: there it counts every broken rule of
    every row."""

    rows: int
    failed: int
    by_reason: dict[str, int]
    ratio: Decimal
    refused: bool
    path: Path
    in_cents: dict[str, int] = field(default_factory=dict)
    """Orders whose money was brought to the smallest unit of its currency, by what was done (`gate.cents`)."""


@dataclass
class Gate:
    """One run's gate. `inspect` once, to the end; then `result` is there.

    `now` is CJ's time; `enterprises` are those with a configured account; `results_dir` takes the validation result and the page of rules,
    and `kept_in` is where a person will find them: None where they stay there, empty where nobody keeps them.
    """

    now: datetime
    max_quarantine_ratio: Decimal
    results_dir: Path
    enterprises: frozenset[str]
    own_currencies: Mapping[str, str] = field(default_factory=dict)
    """The advertiser's own currency by enterprise, for orders that name none."""
    heard_of: HeardOf | None = None
    """Says once all rows are read which orders CJ has heard of; None where every row is to be taken for one that could go to it."""
    refused_before: pa.Table | None = None
    """States that an earlier night held back and that are looked at again (KEY, updated_at): neither side of the ratio counts them a second time."""
    combine_items: bool = False
    batch_rows: int = BATCH_ROWS
    kept_in: str | None = None
    result: QualityResult | None = None
    validations: dict[str, int] = field(default_factory=dict)
    """How many passes Great Expectations made, by result format."""

    def inspect(self, batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[Inspected]:
        """Splits a night of changes (shapes.CHANGES, sorted by KEY) into what may go on and what is held back.

        **Send nothing before this has ended**: it raises QuarantineRatioExceeded after the last row. Raises WarehouseShapeError if
        the rows are not sorted or not in shapes.CHANGES.
        """
        with ExitStack() as files:  # without a name, so that nothing of the rows outlives the process
            spool, doubtful, unasked = (files.enter_context(tempfile.TemporaryFile(prefix="cj-gate-")) for _ in range(3))
            tally = _Tally(Judge(self.enterprises), self, Kept(doubtful), Kept(unasked))
            self.validations = tally.judge.validations
            aside = SetAside(spool)
            for table in whole_keys(batches, self.batch_rows):
                yield from tally.take(table, aside)
            if not self._too_many(tally.at_least, tally.rows):
                yield from tally.take_up(aside)
                yield from tally.ask_about()
        refused = self._too_many(tally.at_least, tally.rows)
        self.result = self._finish(tally, refused)
        if refused:
            raise QuarantineRatioExceeded(self._refusal(self.result))

    def _too_many(self, failed: int, rows: int) -> bool:
        return failed >= RATIO_COUNTS_FROM and failed > self.max_quarantine_ratio * rows

    def _finish(self, tally: _Tally, refused: bool) -> QualityResult:
        result = merged_result(tally.rows, tally.by_rule, tally.judge.enterprises, self.now, refused)
        by_reason = tally.broken_reasons if refused else tally.first_reasons
        ratio = Decimal(tally.at_least) / Decimal(tally.rows) if tally.rows else Decimal(0)
        path = write(result, self.results_dir)
        return QualityResult(tally.rows, tally.at_least, dict(by_reason.most_common()), ratio, refused, path, dict(tally.in_cents))

    def _refusal(self, result: QualityResult) -> str:
        top = ", ".join(f"{reason} {count:,}" for reason, count in list(result.by_reason.items())[:5])
        where = str(self.results_dir) if self.kept_in is None else self.kept_in
        see = f" (the validation result is in {where})" if where else ""
        nobodys = result.by_reason.get("unknown_enterprise") == result.rows
        account = ", or correct enterprise_id in the connection" if nobodys else ""
        return (
            f"At least {result.failed:,} of {result.rows:,} order changes that could go to CJ failed validation, {result.ratio:.1%}, and max_quarantine_ratio "
            f"allows {self.max_quarantine_ratio:.1%}: {top}. Nothing was sent. Mend what the warehouse's query "
            f"returns{see}{account}, or run again with a larger max_quarantine_ratio."
        )


class _Tally:
    """What has been counted so far. `at_least` is exact except for the rows set aside: of those, the rule broken most often is counted.

    Of rows that could go to CJ only if it has heard of them (`nobodys`) none has failed before it was asked, and each counts among `rows`.
    """

    def __init__(self, judge: Judge, gate: Gate, doubtful: Kept, unasked: Kept) -> None:
        self.judge, self.gate, self.doubtful, self.unasked = judge, gate, doubtful, unasked
        told = gate.refused_before
        self.told_before = set(zip(*(told[name].to_pylist() for name in (*KEY, "updated_at")), strict=True)) if told is not None else set()
        self.ids_told_before = pa.array(sorted({order_id for _, _, order_id, _ in self.told_before}), pa.string())
        self.passed_unasked = 0
        self.rows = self.at_least = 0
        self.in_cents: Counter[str] = Counter()
        self.by_rule: Counter[Rule] = Counter()
        self.broken_reasons: Counter[str] = Counter()
        self.first_reasons: Counter[str] = Counter()

    def take(self, given: pa.Table, aside: SetAside) -> Iterator[Inspected]:
        """Counts a batch and gives it out, split; or sets it aside while too many rows fail, and gives those out once they do not."""
        table, done = self._readied(given)
        frame = findings(table, self.gate.now, self.gate.combine_items)
        broken = self.judge.broken(frame)
        before = self._told_before(table)
        sure = self._could_go(table, frame) & ~before
        counts = self.judge.counts(frame if sure.all() else frame[sure].reset_index(drop=True), broken) if broken and sure.any() else {}
        self.rows += len(table) - int(before.sum())
        self.by_rule.update(counts)
        self._count_reasons(table if sure.all() else table.filter(pa.array(sure)), counts)
        bound = max(counts.values(), default=0)
        if self.gate._too_many(self.at_least + bound, self.rows):
            self.at_least += bound
            aside.add(given, bound)
            return
        yield from self.take_up(aside)
        self.in_cents.update(done)
        yield self._split(given, table, frame, broken)

    def take_up(self, aside: SetAside) -> Iterator[Inspected]:
        """Gives out what was set aside, each row now named."""
        for given, bound in aside.drain():
            table, done = self._readied(given)
            self.in_cents.update(done)
            frame = findings(table, self.gate.now, self.gate.combine_items)
            self.at_least -= bound
            yield self._split(given, table, frame, self.judge.broken(frame))

    def _readied(self, given: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """The rows as they would be sent, and what was done to their money."""
        return in_cents(without_blanks(given), self.gate.own_currencies)

    def _split(self, given: pa.Table, table: pa.Table, frame: pd.DataFrame, broken: list[Rule]) -> Inspected:
        before = self._told_before(table)
        sure, good = self._could_go(table, frame) | before, np.ones(len(table), np.bool_)
        bad = QUARANTINED.empty_table()
        if broken:
            found = self.judge.rows(frame, broken)
            failed = np.unique(np.concatenate(list(found.values())))
            good[failed] = False
            rows = table.take(pa.array(failed))
            first, details = _reasons(found, failed, table)
            bad = self._counted(_quarantined(rows, first, details, frame, failed), rows, sure[failed], before[failed], found, failed)
        if not sure.all():
            passed = good & ~sure
            self.passed_unasked += int(passed.sum())
            self.unasked.add(asked_about(table.filter(pa.array(passed))))
        return self._inspected(given, table, None if not broken else pa.array(good), bad)

    def _counted(
        self, held: pa.Table, rows: pa.Table, sure: Flags, before: Flags, found: dict[Rule, np.ndarray], failed: np.ndarray
    ) -> pa.Table:
        """Those that could go to CJ, counted; the others are kept until CJ was asked about them, each with the rules it breaks."""
        bad = held.filter(pa.array(sure))
        news = held.filter(pa.array(sure & ~before))
        self.at_least += news.num_rows
        self.first_reasons.update(news["reason"].to_pylist())
        if not sure.all():
            broken: list[list[int]] = [[] for _ in failed]
            for rule, places in found.items():
                for row in np.searchsorted(failed, places):
                    broken[row].append(rule.position)
            kept = held.append_column("broken", pa.array(broken, pa.list_(pa.int32())))
            for name, column in zip(ASKED.names, asked_about(rows).columns, strict=True):
                kept = kept.append_column(f"asked_{name}", column)
            self.doubtful.add(kept.filter(pa.array(~sure)))
        return bad

    def ask_about(self) -> Iterator[Inspected]:
        """Gives out the rows that were kept until CJ was asked about them; then counts how many could go to CJ, where it matters."""
        heard_of = self.gate.heard_of
        if heard_of is None:
            return
        for kept in self.doubtful.tables():
            known = heard_of(pa.table([kept[f"asked_{name}"] for name in ASKED.names], schema=ASKED))
            bad, nobodys = (kept.filter(pa.array(mask)) for mask in (known, ~known))
            self.rows -= nobodys.num_rows
            self.at_least += bad.num_rows
            self.first_reasons.update(bad["reason"].to_pylist())
            for position in bad["broken"].combine_chunks().flatten().to_pylist():
                self.by_rule[rules()[position]] += 1
                self.broken_reasons[rules()[position].reason] += 1
            yield Inspected(CHANGES.empty_table(), bad.select(QUARANTINED.names), None, nobodys.select(QUARANTINED.names))
        if self.at_least >= RATIO_COUNTS_FROM:
            self.rows += known_of(self.unasked, heard_of) - self.passed_unasked

    def _could_go(self, table: pa.Table, frame: pd.DataFrame) -> Flags:
        return np.ones(len(table), np.bool_) if self.gate.heard_of is None else could_go(table, frame, self.gate.enterprises)

    def _told_before(self, table: pa.Table) -> Flags:
        """The rows whose very state an earlier night held back."""
        before = np.zeros(len(table), np.bool_)
        if self.told_before:
            places = np.flatnonzero(pc.is_in(table["order_id"], self.ids_told_before).to_numpy())
            rows = table.select([*KEY, "updated_at"]).take(pa.array(places))
            states = zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True)
            before[places] = [state in self.told_before for state in states]
        return before

    def _inspected(self, given: pa.Table, table: pa.Table, good: pa.Array | None, bad: pa.Table) -> Inspected:
        """`good` is None where every row is."""
        taken = [one if good is None else one.filter(good) for one in ((table,) if table is given else (table, given))]
        return Inspected(self._passed(taken[0]), bad, self._passed(taken[1]) if len(taken) == 2 else None)

    def _passed(self, table: pa.Table) -> pa.Table:
        table = without_the_unstorable(table)
        return combine_small_lines(table) if self.gate.combine_items else table

    def _count_reasons(self, table: pa.Table, counts: dict[Rule, int]) -> None:
        for rule, count in counts.items():
            if MALFORMED_COLUMN in rule.reason:
                named = Counter(_malformed_reason(rule, name) for name in pc.drop_null(table["malformed"]).to_pylist())
                self.broken_reasons.update(named)
            else:
                self.broken_reasons[rule.reason] += count


def _reasons(found: dict[Rule, np.ndarray], failed: np.ndarray, table: pa.Table) -> tuple[list[str], list[str]]:
    """For each failed row: the reason of the first rule it breaks, and a sentence for every one."""
    broken_rules: list[list[Rule]] = [[] for _ in failed]
    for rule, rows in found.items():
        for row in np.searchsorted(failed, rows):
            broken_rules[row].append(rule)
    malformed = table["malformed"]
    first = [
        _malformed_reason(rules[0], malformed[row].as_py()) if MALFORMED_COLUMN in rules[0].reason else rules[0].reason
        for rules, row in zip(broken_rules, failed.tolist(), strict=True)
    ]
    details = [
        " ".join(_detail(rule, malformed[row].as_py()) for rule in rules) for rules, row in zip(broken_rules, failed.tolist(), strict=True)
    ]
    return first, details


def _detail(rule: Rule, malformed: str | None) -> str:
    """The rule's sentence; of a text that cannot be read also what was found there, which parsing says without a value."""
    column, _, found = (malformed or "").partition(": ")
    return (
        f"{rule.detail} Found in {column}: {found}."
        if MALFORMED_COLUMN in rule.reason and found and column in CHANGES.names
        else rule.detail
    )


def _malformed_reason(rule: Rule, malformed: str) -> str:
    """`malformed_amount`; `malformed_row` where `malformed` names no column of ours, so that no foreign text becomes a reason."""
    column = malformed.partition(": ")[0]
    return rule.reason.replace(MALFORMED_COLUMN, column if column in CHANGES.names else "row")


def _quarantined(rows: pa.Table, reasons: list[str], details: list[str], frame: pd.DataFrame, failed: np.ndarray) -> pa.Table:
    order_ids = kept_text(one_array(rows["order_id"])).to_pylist()
    for row in np.flatnonzero(~frame["order_id_without_email"].to_numpy()[failed]):
        order_ids[row] = pseudonym(rows["order_id"][row.item()].as_py())
        details[row] += " The order id is written as `sha256-` and the first 32 hex digits of its SHA-256."
    columns = {
        "enterprise_id": kept_text(rows["enterprise_id"]),
        "action_tracker_id": rows["action_tracker_id"],
        "order_id": order_ids,
        "updated_at": kept_time(rows["updated_at"]),
        "reason": reasons,
        "detail": details,
    }
    return pa.table(columns, schema=QUARANTINED)
