"""The report's pictures: Vega-Lite to SVG without a browser. Colours are CSS variables, so they follow light and dark without scripts.

Each function gives a whole `<svg>` element, or None where there is nothing to draw. Matched orders are never drawn: they would drown the
breaks. Text in the SVG is escaped by the renderer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import vl_convert

from include.domain.money import money_text
from include.domain.states import Status
from include.restatements.report.figures import (
    BIN_SECONDS,
    LAST_BIN,
    LOCK_BUCKETS,
    Amount,
    Figures,
    Lag,
    amounts_by_currency,
    duration,
    joined,
    to_cents,
)

FONT = "Inter, system-ui, sans-serif"
INK, QUIET, LINE = "var(--fg)", "var(--fg-muted)", "var(--border)"
COLOURS = {
    Status.MISSING: "var(--failed)",
    Status.MISMATCHED: "var(--warning)",
    Status.LATE: "var(--running)",
    Status.AWAITING: "var(--waiting)",
    Status.SUPERSEDED: "var(--border-strong)",
}
WIDTH, HEIGHT = 330, 150
_MOST_BINS = 36

Spec = dict[str, Any]


def by_status(figures: Figures) -> str | None:
    """Orders that are not matched, by verdict; beside each bar its count and, where all is of one currency, the money submitted."""
    drawn = [status for status in COLOURS if figures.orders_with(status)]
    if not drawn:
        return None
    one_currency = len(figures.currencies) == 1
    values = []
    for status in drawn:
        money = amounts_by_currency(Amount(line.currency, line.submitted) for line in figures.statuses if line.status == status)
        label = f"{figures.orders_with(status):,}" + (f", {joined(money)}" if one_currency else "")
        values.append({"status": status, "orders": figures.orders_with(status), "label": label, "colour": COLOURS[status]})
    y = {
        "field": "status",
        "type": "nominal",
        "sort": [str(s) for s in drawn],
        "axis": {"title": None, "grid": False, "labelFontSize": 12, "minExtent": 78},
    }
    room = 1.8 if one_currency else 1.18
    x = {"field": "orders", "type": "quantitative", "axis": None, "scale": {"domainMax": max(map(figures.orders_with, drawn)) * room}}
    bars: Spec = {"mark": {"type": "bar", "height": 16, "cornerRadiusEnd": 2}, "encoding": {"color": _as_is("colour")}}
    text: Spec = {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "fill": INK}, "encoding": {"text": {"field": "label"}}}
    return _svg("verdicts", {"data": {"values": values}, "height": {"step": 28}, "encoding": {"x": x, "y": y}, "layer": [bars, text]})


def by_lock(figures: Figures) -> str | None:
    """Commission at risk by days to the lock; only where it is all of one currency, because sums of two cannot share an axis."""
    currencies = {a.currency for lock in figures.locks for a in lock.at_risk}
    if not figures.locks or len(currencies) > 1:
        return None
    by_days = {lock.days: lock for lock in figures.locks}
    values = []
    for days in LOCK_BUCKETS:
        lock = by_days.get(days)
        if lock or days != "no date":
            amount = money_text(to_cents(lock.at_risk[0].amount)) if lock else "0"
            colour = {"locked": "var(--failed)", "0-2": "var(--warning)"}.get(days, "var(--waiting)")
            values.append({"days": days, "amount": amount, "label": joined(lock.at_risk).split(" ")[0] if lock else "", "colour": colour})
    x = {"field": "days", "type": "ordinal", "sort": list(LOCK_BUCKETS), "axis": {"title": "days to lock", "labelAngle": 0, "grid": False}}
    y = {"field": "amount", "type": "quantitative", "axis": {"title": None, "tickCount": 4, "format": "~s"}}
    bars: Spec = {"mark": {"type": "bar", "cornerRadiusEnd": 2}, "encoding": {"color": _as_is("colour")}}
    text: Spec = {"mark": {"type": "text", "dy": -6, "fontSize": 10, "fill": INK}, "encoding": {"text": {"field": "label"}}}
    data = {"values": values, "format": {"parse": {"amount": "number"}}}
    return _svg("locks", {"data": data, "height": HEIGHT, "encoding": {"x": x, "y": y}, "layer": [bars, text]})


def posting_lag(lag: Lag | None) -> str | None:
    """How long CJ took, as a histogram with the median and the ninetieth percentile marked."""
    if lag is None:
        return None
    width, values = _rebinned(lag.bins)
    most = max(value["orders"] for value in values)
    unit, seconds = _unit(values[-1]["end"])
    for value in values:
        value["from"], value["to"] = value.pop("start") / seconds, value.pop("end") / seconds
    x_title = f"{unit} from submission to posting"
    x = {
        "field": "from",
        "type": "quantitative",
        "axis": {"title": x_title, "grid": False, "values": _ticks(values[-1]["to"])},
        "scale": {"nice": False},
    }
    y = {
        "field": "orders",
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 4, "format": "~s"},
        "scale": {"domainMax": most * 1.3},
    }
    bars: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "binSpacing": 1, "fill": "var(--brand)"},
        "encoding": {"x": {**x, "bin": {"binned": True, "step": width / seconds}}, "x2": {"field": "to"}, "y": y},
    }
    longest = values[-1]["to"]
    marks = [
        {"at": min(at / seconds, longest), "label": f"{name} {duration(at)}", "row": row}
        for row, (name, at) in enumerate((("half", lag.p50), ("90 %", lag.p90)))
    ]
    at_x = {"field": "at", "type": "quantitative"}
    rules: Spec = {"data": {"values": marks}, "mark": {"type": "rule", "stroke": INK, "strokeDash": [3, 3]}, "encoding": {"x": at_x}}
    labels = [_mark_label(mark, longest) for mark in marks]
    return _svg("lag", {"height": HEIGHT, "layer": [bars, rules, *labels]})


def nights(figures: Figures) -> str | None:
    """The last thirty nights: what did not match, stacked; a night without sending stays empty."""
    stacked = (Status.MISSING, Status.MISMATCHED, Status.LATE, Status.AWAITING)
    last = figures.checked_at.date()
    days = [last - timedelta(days=back) for back in range(29, -1, -1)]
    by_day = {night.day: night for night in figures.nights}
    values = [
        {"day": f"{day:%b %-d}", "status": str(status), "orders": by_day[day].count(status), "rank": rank}
        for day in days
        for rank, status in enumerate(stacked)
        if day in by_day and by_day[day].count(status)
    ]
    if not values:
        return None
    names = [f"{day:%b %-d}" for day in days]
    shown = [name for number, name in enumerate(reversed(names)) if number % 5 == 0]
    x = {
        "field": "day",
        "type": "ordinal",
        "sort": names,
        "scale": {"domain": names, "paddingInner": 0.15},
        "axis": {"title": None, "labelAngle": 0, "values": shown, "grid": False},
    }
    y = {"field": "orders", "type": "quantitative", "axis": {"title": None, "tickCount": 4, "format": "~s"}}
    scale = {"domain": [str(s) for s in stacked], "range": [COLOURS[s] for s in stacked]}
    colour = {
        "field": "status",
        "type": "nominal",
        "scale": scale,
        "legend": {"orient": "top", "title": None, "symbolType": "square", "columnPadding": 28},
    }
    encoding = {"x": x, "y": y, "color": colour, "order": {"field": "rank", "type": "quantitative"}}
    return _svg("nights", {"data": {"values": values}, "width": 1090, "height": 120, "mark": {"type": "bar"}, "encoding": encoding})


def _mark_label(mark: Spec, longest: float) -> Spec:
    """A label beside its line, on the side where there is room."""
    left = mark["at"] > longest * (0.3 if mark["row"] == 0 else 0.6)
    text = {"type": "text", "align": "right" if left else "left", "dx": -4 if left else 4, "fontSize": 10, "fill": INK}
    y = {"value": 6 + 13 * mark["row"]}
    return {
        "data": {"values": [mark]},
        "mark": text,
        "encoding": {"x": {"field": "at", "type": "quantitative"}, "y": y, "text": {"field": "label"}},
    }


def _rebinned(bins: Sequence[tuple[int, int]]) -> tuple[int, list[Spec]]:
    """(width in seconds, bars with start and end in seconds): as few bars as a small picture can show."""
    last = max(number for number, _ in bins)
    step = next(s for s in (1, 2, 3, 6, 12, 24, 48) if last // s < _MOST_BINS)
    sums: dict[int, int] = {}
    for number, orders in bins:
        sums[number // step] = sums.get(number // step, 0) + orders
    width = step * BIN_SECONDS
    return width, [{"start": n * width, "end": (n + 1) * width, "orders": sums.get(n, 0)} for n in range(min(LAST_BIN, last) // step + 1)]


def _ticks(longest: float) -> list[int]:
    """Round numbers from zero, seven at most."""
    step = next(s for s in (1, 2, 5, 10, 15, 20, 30, 60) if longest / s <= 7)
    return list(range(0, int(longest) + 1, step))


def _unit(longest: int) -> tuple[str, int]:
    return ("hours", 3600) if longest > 3 * 3600 else ("minutes", 60)


def _as_is(field: str) -> Spec:
    """A colour that stands in the data."""
    return {"field": field, "type": "nominal", "scale": None}


def _svg(name: str, spec: Spec) -> str:
    axis = {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "titleFontWeight": "normal",
    }
    config = {
        "font": FONT,
        "background": None,
        "aria": False,
        "view": {"stroke": None},
        "axis": {**axis, "labelFontSize": 10, "titleFontSize": 11},
        "legend": {"labelColor": INK, "labelFontSize": 11},
    }
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": WIDTH, "padding": 2, **spec, "config": config}
    svg: str = vl_convert.vegalite_to_svg(json.dumps(whole))
    return _slim(svg, name)


def _slim(svg: str, name: str) -> str:
    """The picture without what no reader needs. It scales with its panel, and screen readers get the text instead.

    Its ids become its own: several pictures share a page, and the renderer numbers on from picture to picture.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (?:class|aria-\w+|role|pointer-events|xmlns:xlink|version)="[^"]*"', "", svg)
    ids = {found: f"{name}-{number}" for number, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    svg = re.sub(r'(\bid="|url\(#)([^")]+)', lambda match: match[1] + ids.get(match[2], match[2]), svg)
    svg = re.sub(r"(\d+\.\d{2})\d+", r"\1", svg)
    svg = re.sub(r'<path [^>]*display="none"[^>]*>(?:</path>)?', "", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
