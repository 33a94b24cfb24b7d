"""The report for a console: about a screen, readable at 100 columns and without colour."""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from include.domain.states import BREAKS
from include.restatements.report.advice import SKIPS, advice_for
from include.restatements.report.figures import Amount, Figures, counted, joined, utc
from include.restatements.report.words import (
    headline,
    lag_finding,
    lock_words,
    older_finding,
    plain,
    set_aside_finding,
    signs_finding,
    unchecked_finding,
)

TOP = 10
WIDTH = 100


def terminal(figures: Figures, *, report: str | None = None) -> Group:
    """What a console shows; `report` is where the HTML is. Only what is not empty appears."""
    top = headline(figures)
    parts: list[RenderableType] = [
        Text(f"CJ reconciliation  checked {utc(figures.checked_at)}, CJ's records {_freshness(figures)}"),
        Text(f"{top.claim} {top.rest}".rstrip(), style="bold red" if top.tone == "bad" else "bold"),
    ]
    if not figures.empty:
        parts += [Text(""), Text(_balance_line(figures))]
    if figures.balance.difference:
        parts.append(
            Text("The balance does not tie: rebuild the tables from the journal before acting on these figures.", style="bold red")
        )
    if figures.other_basis_matches_all:
        parts.append(Text("With the other sale_amount_basis (net or gross) every order would match: check the connection's extra."))
    if older := older_finding(figures):
        parts.append(Text(older, style="bold red" if figures.older.breaks else ""))
    if aside := set_aside_finding(figures):
        parts.append(Text(aside, style="bold red" if figures.set_aside else ""))
    if signs := signs_finding(figures):
        parts.append(Text(signs))
    if figures.statuses:
        parts.append(_statuses(figures))
    if figures.within_band:
        parts.append(Text(f"{counted(figures.within_band, 'order')} in a converted currency compared within a band, not to the cent."))
    if unchecked := unchecked_finding(figures):
        parts.append(Text(unchecked))
    if figures.lag:
        parts.append(Text(lag_finding(figures)))
    breaks = _breaks(figures)
    if breaks:
        parts += [breaks, *_advice(figures)]
    parts += [table for table in (_refused(figures), _quarantined(figures), _skipped(figures)) if table]
    if report:
        # On one line however long, so that it can be copied or clicked.
        parts += [Text(""), Text(f"Report: {report}", no_wrap=True, overflow="ignore")]
    return Group(*parts)


def terminal_text(figures: Figures, *, report: str | None = None, width: int = WIDTH) -> str:
    """The same as plain text, without colour or trailing blanks."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False, _environ={})
    console.print(terminal(figures, report=report), soft_wrap=False, crop=False)
    written = console.file
    assert isinstance(written, StringIO)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def _freshness(figures: Figures) -> str:
    return f"as of {utc(figures.data_as_of)}" if figures.data_as_of else "not read yet"


def _balance_line(figures: Figures) -> str:
    b = figures.balance
    unchecked = f" + not looked at yet {b.unchecked:,}" if b.unchecked else ""
    return (
        f"sent {b.sent:,} = matched {b.matched:,} + waiting {b.waiting:,} + breaks {b.breaks:,} + superseded {b.superseded:,}{unchecked}"
        f"  (difference {b.difference})"
    )


def _table(title: str, *columns: tuple[str, bool]) -> Table:
    """A table whose columns are (heading, is a number)."""
    table = Table(
        title=Text(f"\n{title}", style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False
    )
    for heading, number in columns:
        table.add_column(heading, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return table


def _cell(text: str) -> Text:
    """Data is shown as it is: rich's markup in an order id means nothing, control characters become `?`."""
    return Text("".join(c if c.isprintable() else "?" for c in text))


def _money(amount: Amount | None) -> Text:
    return _cell(amount.exact()) if amount else Text("-")


def _statuses(figures: Figures) -> Table:
    table = _table(
        "Orders sent live",
        ("status", False),
        ("orders", True),
        ("submitted", True),
        ("comparable", True),
        ("posted", True),
        ("difference", True),
    )
    for line in figures.statuses:
        submitted, *others = (Amount(line.currency, value) for value in (line.submitted, line.posted, line.difference))
        amounts = [_money(other if line.compared else None) for other in others]
        sign = "! " if line.status in BREAKS else "  "
        table.add_row(_cell(sign + line.status), f"{line.orders:,}", _money(submitted), f"{line.compared:,}", *amounts)
    return table


def _breaks(figures: Figures) -> Table | None:
    if not figures.breaks:
        return None
    shown = figures.breaks[:TOP]
    title = f"Breaks: the {len(shown)} of {figures.balance.breaks:,} that cost most" if len(shown) < figures.balance.breaks else "Breaks"
    columns = (
        ("order", False),
        ("status", False),
        ("why", False),
        ("expected", True),
        ("actual", True),
        ("at risk", True),
        ("locks", True),
    )
    table = _table(title, *columns)
    for row in shown:
        at_risk = _cell(row.at_risk.cents()) if row.at_risk else Text("unknown")
        why = _cell(plain(row.reason))
        table.add_row(_cell(row.order_id), _cell(row.status), why, _money(row.submitted), _money(row.posted), at_risk, lock_words(row))
    return table


def _advice(figures: Figures) -> list[Text]:
    """What to do about each reason that the breaks above show."""
    reasons = dict.fromkeys(row.reason for row in figures.breaks[:TOP])
    return [_cell(f"  {plain(reason)}: {advice_for(reason).action}") for reason in reasons]


def _refused(figures: Figures) -> Table | None:
    if not figures.refused:
        return None
    table = _table("Refused by CJ in live mode", ("CJ's words", False), ("orders", True))
    for message, orders in figures.refused:
        table.add_row(_cell(message or "CJ gave no reason"), f"{orders:,}")
    return table


def _quarantined(figures: Figures) -> Table | None:
    if not figures.quarantined:
        return None
    table = _table("Held back before CJ", ("stage", False), ("reason", False), ("orders", True), ("commission CJ holds", True))
    for group in figures.quarantined:
        cost = _cell(joined(group.cost)) if group.cost else Text("-")
        table.add_row(_cell(plain(group.stage)), _cell(plain(group.reason)), f"{group.orders:,}", cost)
    return table


def _skipped(figures: Figures) -> Table | None:
    if not figures.skipped:
        return None
    table = _table("Nothing to send", ("reason", False), ("orders", True), ("", False))
    for reason, orders in figures.skipped:
        table.add_row(_cell(plain(reason)), f"{orders:,}", SKIPS.get(reason, ""))  # type: ignore[call-overload]
    return table
