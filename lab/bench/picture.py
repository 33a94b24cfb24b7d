"""The table as bars: seconds and memory, ours beside the peer's, one panel a step."""

from __future__ import annotations

from typing import Any

from lab.bench.steps import PEER, Row


def svg(rows: list[Row]) -> str:
    """The rows that the script has a part in, at the largest size each was measured at, in the order they were measured."""
    import vl_convert

    largest = {row.step: row for row in rows if row.peer and row.beside == PEER}
    values = [
        {
            "step": f"{row.step}, {row.orders:,}",
            "side": side,
            "seconds": figures["seconds"],
            "label": f"{figures['seconds']:.1f} s, {figures['peak_mb']:,.0f} MB",
        }
        for row in largest.values()
        for side, figures in (("CJ Restatements", row.ours), (PEER, row.peer))
        if figures
    ]
    return str(vl_convert.vegalite_to_svg(_chart(values)))


def _chart(values: list[dict[str, Any]]) -> dict[str, Any]:
    place = {"field": "side", "type": "nominal", "title": None, "axis": {"labels": False, "ticks": False}}
    length = {"field": "seconds", "type": "quantitative", "title": None, "axis": None}
    colour = {"field": "side", "type": "nominal", "title": None, "scale": {"range": ["#0f766e", "#cbd5e1"]}, "legend": {"orient": "top"}}
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
        "resolve": {"scale": {"x": "independent"}},
        "spec": {
            "width": 460,
            "height": 34,
            "layer": [
                {"mark": "bar", "encoding": {"y": place, "x": length, "color": colour}},
                {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"y": place, "x": length, "text": {"field": "label"}}},
            ],
        },
        "config": {"view": {"stroke": None}, "font": "sans-serif"},
    }
