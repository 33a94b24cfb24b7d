"""The review as a PDF: what a person takes to a meeting, signs and files. The same figures always make the same bytes.

Pictures are Vega-Lite through vl-convert, as the report's; tables are ReportLab's, which wraps cells and goes on over pages. Only in a task: both are heavy.

Known limitation: its letters are those of European languages; others are shown as boxes. The CSV has them all.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from include.domain.money import money
from include.domain.prelock import Extension, Finding
from include.restatements.prelock.files import CLICKS, meaning_of
from include.restatements.prelock.pack import Pack
from include.restatements.prelock.rules import EXTENSION
from include.restatements.prelock.words import headline, hour, swept_words
from include.restatements.report.figures import Amount, counted
from include.restatements.report.words import plain

MOST_ROWS = 400
"""Orders of one table; the CSV has the rest."""

_FONT = "Vera"
_MARGIN = 42
_WIDTH = 595 - 2 * _MARGIN
_INK, _QUIET, _LINE, _HEAD = "#161d2d", "#3e5873", "#dee3ea", "#edf0f4"

Row = Mapping[str, Any]


def document(pack: Pack, wrong: Iterable[Row], breaks: Iterable[Row]) -> bytes:
    """The whole PDF. `wrong`: rows of `page_prelock.sql` that are near and to be looked at; `breaks`: those with an open break; both dearest first."""
    from reportlab.platypus import SimpleDocTemplate

    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=(595, 842), leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=48, bottomMargin=48, invariant=1,
        title=f"Pre-lock review {pack.digest}", author="CJ Restatements", subject=headline(pack),
    )  # fmt: skip
    footer = f"Digest {pack.digest} · review {pack.review} of {_moment(pack.reviewed_at)}"
    page.build([*_front(pack), *_wrong(pack, list(wrong)), *_breaks(pack, list(breaks)), *_lost(pack), *_extensions(pack), *_sign(pack)],
        onFirstPage=_foot(footer), onLaterPages=_foot(footer))  # fmt: skip
    return out.getvalue()


def _front(pack: Pack) -> list[Any]:
    from reportlab.platypus import Spacer

    accounts = ", ".join(f"{one.conn_id} (advertiser {one.advertiser_id}, {one.currency}, {one.mode})" for one in pack.accounts)
    told = [
        _text("Before CJ locks", "title"),
        _text(headline(pack), "lead"),
        _text(swept_words(pack), "quiet"),
        _text(f"Accounts: {accounts}.", "quiet"),
    ]
    told += [_text(problem, "body") for problem in pack.problems]
    picture = locks_picture(pack)
    if picture is not None:
        told += [_text("What is at stake, by the day it locks", "head"), _picture(picture)]
    rows = [
        [lock.day or "no day", _account(pack, lock.advertiser_id), f"{lock.orders:,}", _money(pack, lock.advertiser_id, lock.held_cost), f"{lock.wrong:,}",
         f"{lock.to_send:,}", _money(pack, lock.advertiser_id, lock.at_stake) + (f", {lock.unpriced:,} unknown" if lock.unpriced else "")]
        for lock in pack.locks
    ]  # fmt: skip
    head = ["Locks on", "Account", "Open orders", "Commission and fee", "Do not agree", "Sent tonight", "At stake"]
    return [*told, _text("What locks when", "head"), _table(head, rows, [62, 62, 62, 92, 68, 66, 99], numbers=5), Spacer(1, 6)]


def _wrong(pack: Pack, rows: list[Row]) -> list[Any]:
    if not rows:
        return [_text("What does not agree", "head"), _text("Nothing that locks soon.", "body")]
    lines = [
        [
            str(row["order_id"]),
            _found(row),
            meaning_of(row)[1],
            _lock(row),
            _stake(pack, row),
        ]
        for row in rows[:MOST_ROWS]
    ]
    return [
        _text("What does not agree and can still be mended", "head"), _text(_which(len(rows), "order"), "quiet"),
        _table(["Order", "Finding", "What to do", "Locks on", "At stake"], lines, [98, 112, 160, 62, 79], numbers=1),
    ]  # fmt: skip


def _breaks(pack: Pack, rows: list[Row]) -> list[Any]:
    head = _text("Open breaks by money", "head")
    if not rows:
        return [head, _text("There is none.", "body")]
    lines = [
        [str(row["order_id"]), f"{row['verdict']}: {plain(str(row['verdict_reason'] or 'unknown'))}", plain(str(row["finding"])),
         f"{row['noted_by']}: {row['note']}" if row["noted_by"] else "nobody yet", _lock(row), _cents(pack, row, "verdict_risk")]
        for row in rows[:MOST_ROWS]
    ]  # fmt: skip
    return [
        head, _text(f"{_which(len(rows), 'break')} A break that somebody has taken note of stays one.", "quiet"),
        _table(["Order", "Verdict", "Found today", "Noted", "Locks on", "At risk"], lines, [92, 92, 72, 120, 62, 73], numbers=1),
    ]  # fmt: skip


def _lost(pack: Pack) -> list[Any]:
    head = _text("What cannot be mended any more", "head")
    if not pack.lost:
        return [head, _text("Nothing of the last three months.", "body")]
    rows = [
        [one.month or "no month", _account(pack, one.advertiser_id), plain(one.reason), plain(one.change), f"{one.orders:,}",
         _money(pack, one.advertiser_id, one.cost) + (f", {one.unpriced:,} unknown" if one.unpriced else "")]
        for one in pack.lost
    ]  # fmt: skip
    return [head, _table(["Month", "Account", "Reason", "What was missed", "Orders", "Costs"], rows, [62, 80, 80, 130, 55, 104], numbers=2)]


def _extensions(pack: Pack) -> list[Any]:
    head = _text("The list to put off", "head")
    if pack.return_days is None:
        return [
            head,
            _text("Nobody has said how many days after an order its return may come (cj_return_days), so nothing is listed.", "body"),
        ]
    told = [head, _text(f"Orders whose returns can come up to {counted(pack.return_days, 'day')} after they were placed, and so after their lock. "
        f"To upload the file: {' > '.join(CLICKS)}. CJ must have received and processed it by the 10th.", "body")]  # fmt: skip
    rows = [
        [_account(pack, one.advertiser_id), plain(one.word), f"{one.orders:,}", EXTENSION[one.word].words]
        for one in sorted(pack.extensions, key=lambda one: (one.advertiser_id, one.word != Extension.CHOSEN, -one.orders))
    ]
    return [*told, _table(["Account", "On the list, or why not", "Orders", ""], rows, [80, 112, 50, 269], numbers=0)] if rows else told


def _sign(pack: Pack) -> list[Any]:
    return [
        _text("Signed off", "head"),
        _text(
            "On the page cj/prelock in Airflow, by whoever is logged in; it holds for this digest alone and lapses when anything in it is another.",
            "body",
        ),
        _text(f"Digest {pack.digest}", "body"),
    ]


def _which(many: int, thing: str) -> str:
    return (
        f"The {MOST_ROWS:,} of {counted(many, thing)} that cost most; the CSV has all."
        if many > MOST_ROWS
        else f"{counted(many, thing)}, what costs most first."
    )


def _account(pack: Pack, advertiser_id: str) -> str:
    return next((one.conn_id for one in pack.accounts if one.advertiser_id == advertiser_id), advertiser_id)


def _money(pack: Pack, advertiser_id: str, amount: str) -> str:
    return Amount(pack.currency_of(advertiser_id), money(amount)).cents()


def _cents(pack: Pack, row: Row, column: str) -> str:
    return "unknown" if row[column] is None else Amount(pack.currency_of(str(row["advertiser_id"])), money(row[column])).cents()


def _stake(pack: Pack, row: Row) -> str:
    return _cents(pack, row, "at_stake")


def _found(row: Row) -> str:
    finding, reason = plain(str(row["finding"])), plain(str(row["reason"]))
    return finding if finding == reason else f"{finding}: {reason}"


def _lock(row: Row) -> str:
    day = row["locking_date"]
    if row["finding"] == Finding.SEND_NOW and isinstance(day, datetime):
        return hour(day)
    return day.strftime("%Y-%m-%d") if isinstance(day, datetime) and day.year < 2099 else "no day"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


# --- pictures and tables -------------------------------------------------------------------------------------------------------------------


def locks_picture(pack: Pack) -> bytes | None:
    """Money at stake by the day it locks, as PNG; None where nothing is at stake on a day that is known."""
    import vl_convert

    values = [
        {
            "day": lock.day,
            "account": f"{_account(pack, lock.advertiser_id)}, {pack.currency_of(lock.advertiser_id)}",
            "stake": str(money(lock.at_stake)),
        }
        for lock in pack.locks
        if lock.day and money(lock.at_stake)
    ]
    if not values:
        return None
    several = len({value["account"] for value in values}) > 1
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 680, "height": 150, "padding": 4, "background": "#ffffff", "data": {"values": values},
        "transform": [{"calculate": "toNumber(datum.stake)", "as": "at_stake"}],
        "mark": {"type": "bar", "size": 26, "color": "#3c5b89"},
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "axis": {"title": None, "labelAngle": 0}},
            "y": {"field": "at_stake", "type": "quantitative", "axis": {"title": f"at stake, {values[0]['account'].rpartition(', ')[2]}" if not several else "at stake", "tickCount": 4}},
            **({"xOffset": {"field": "account"}, "color": {"field": "account", "title": None}} if several else {}),
        },
        "config": {"view": {"stroke": None}, "axis": {"labelColor": _QUIET, "titleColor": _QUIET, "gridColor": _LINE, "domainColor": _LINE, "tickColor": _LINE,
            "titleFontWeight": "normal"}},
    }  # fmt: skip
    return bytes(vl_convert.vegalite_to_png(json.dumps(spec), scale=2.0))


def _picture(png: bytes) -> Any:
    """As wide as the text, in its own proportions."""
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Image

    wide, high = ImageReader(io.BytesIO(png)).getSize()
    return Image(io.BytesIO(png), width=_WIDTH, height=_WIDTH * high / wide)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], numbers: int) -> Any:
    """Cells wrap, the head is repeated on every page, and the last `numbers` columns stand at the right."""
    from reportlab.platypus import Table, TableStyle

    first_number = len(head) - numbers
    cells = [[_text(text, "number_head" if at >= first_number else "cell_head") for at, text in enumerate(head)]]
    cells += [[_text(text, "number" if at >= first_number else "cell") for at, text in enumerate(row)] for row in rows]
    style = TableStyle(
        [("BACKGROUND", (0, 0), (-1, 0), _HEAD), ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
         ("LEFTPADDING", (0, 0), (-1, -1), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 4), ("TOPPADDING", (0, 0), (-1, -1), 3), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]
    )  # fmt: skip
    return Table(cells, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT")


def _text(words: str, style: str) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(escape(words), _styles()[style])


def _foot(words: str) -> Any:
    def drawn(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont(_FONT, 7)
        canvas.setFillColor(_QUIET)
        canvas.drawString(_MARGIN, 26, words)
        canvas.drawRightString(595 - _MARGIN, 26, f"page {page.page}")
        canvas.restoreState()

    return drawn


@cache
def _styles() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, file in ((_FONT, "Vera.ttf"), (f"{_FONT}-Bold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    bold = f"{_FONT}-Bold"
    base = {"textColor": _INK, "splitLongWords": 1}

    def style(name: str, font: str, size: float, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, **base | more)

    return {
        "title": style("title", bold, 17, spaceAfter=6),
        "lead": style("lead", _FONT, 10.5, spaceAfter=6),
        "head": style("head", bold, 10.5, spaceBefore=14, spaceAfter=4, keepWithNext=1),
        "body": style("body", _FONT, 8.5, spaceAfter=4),
        "quiet": style("quiet", _FONT, 8, textColor=_QUIET, spaceAfter=3),
        "cell": style("cell", _FONT, 7),
        "cell_head": style("cell_head", bold, 7),
        "number": style("number", _FONT, 7, alignment=2),
        "number_head": style("number_head", bold, 7, alignment=2),
    }
