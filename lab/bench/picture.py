"""The table as bars: seconds and memory, ours beside the peer's, one panel a step."""

from __future__ import annotations

from typing import Any

from lab.bench.row import SCRIPTS, Row
from lab.bench.table import OURS, sides


def svg(rows: list[Row]) -> str:
    """The rows that a script has a part in, at the largest size each was measured at, in the order they were measured."""
    import vl_convert

    largest: dict[str, list[Row]] = {}
    for row in rows:
        if row.peer and row.beside in SCRIPTS:
            known = largest.setdefault(row.step, [])
            largest[row.step] = [r for r in [*known, row] if r.orders == max(k.orders for k in [*known, row])]
    values = [
        {
            "step": f"{row.step}, {row.orders:,}",
            "side": whose,
            "seconds": figures["seconds"],
            "label": f"{figures['seconds']:.1f} s, {figures['peak_mb']:,.0f} MB",
        }
        for step in largest.values()
        for row, whose, figures in sides(step)
    ]
    return str(vl_convert.vegalite_to_svg(_chart(values)))


def _chart(values: list[dict[str, Any]]) -> dict[str, Any]:
    place = {"field": "side", "type": "nominal", "title": None, "axis": {"labels": False, "ticks": False}}
    length = {"field": "seconds", "type": "quantitative", "title": None, "axis": None}
    colour = {
        "field": "side",
        "type": "nominal",
        "title": None,
        "scale": {"domain": [OURS, *SCRIPTS], "range": ["#0f766e", "#cbd5e1", "#64748b", "#cbd5e1", "#a3b18a"]},
        "legend": {"orient": "top"},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "facet": {
            "row": {
                "field": "step",
                "type": "nominal",
                "title": None,
                "sort": list(dict.fromkeys(value["step"] for value in values)),
                "header": {"labelAngle": 0, "labelAlign": "left", "labelLimit": 320},
            }
        },
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
        "spec": {
            "width": 460,
            "height": {"step": 17},
            "layer": [
                {"mark": "bar", "encoding": {"y": place, "x": length, "color": colour}},
                {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"y": place, "x": length, "text": {"field": "label"}}},
            ],
        },
        "config": {"view": {"stroke": None}, "font": "sans-serif"},
    }
