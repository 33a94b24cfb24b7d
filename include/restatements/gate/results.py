"""What a run's validation leaves on disk: one Great Expectations result with counts, and its Data Docs. No value of any row.

However many batches a night has, the counts are added up. The result is written as plain data, and the page of rules is a file of the release (`make docs`): the
page of the result alone is made by Great Expectations (`data_docs`), from that data, and not while orders wait to be sent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from include.restatements.gate.suite import Rule, rules

RESULT_FILE = "validation_result.json"
DATA_DOCS = "data_docs"
RULES_PAGE = f"{DATA_DOCS}/rules.html"
RESULT_PAGE = f"{DATA_DOCS}/index.html"
SHIPPED_RULES = Path(__file__).with_name("expectations") / "rules.html"
"""What Great Expectations makes of the suite."""


def results_of(reading: int) -> str:
    """The folder of a run's results, of its first reading of the warehouse or of a later one."""
    return f"quality-{reading}" if reading else "quality"


def merged_result(rows: int, failed: Mapping[Rule, int], enterprises: list[str], now: datetime, refused: bool) -> dict[str, Any]:
    """One result for the whole run, as Great Expectations writes it: `rows` rows judged, `failed` says how many broke each rule."""
    results = [_merged_rule(rule, rows, failed.get(rule, 0)) for rule in rules()]
    passed = sum(result["success"] for result in results)
    return {
        "success": passed == len(results),
        "results": results,
        "suite_name": "order_changes",
        "suite_parameters": {"enterprises": enterprises},
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100.0 * passed / len(results),
        },
        "meta": {"run_id": {"run_name": now.isoformat(), "run_time": now.isoformat()}, "rows": rows, "refused": refused},
        "id": None,
    }


def _merged_rule(rule: Rule, rows: int, failed: int) -> dict[str, Any]:
    return {
        "success": failed == 0,
        "expectation_config": {
            "type": rule.type,
            "kwargs": dict(rule.kwargs),
            "meta": rule.meta,
            "description": rule.rule,
            "severity": "critical",
        },
        "result": {
            "element_count": rows,
            "unexpected_count": failed,
            "unexpected_percent": 100.0 * failed / rows if rows else 0.0,
            "partial_unexpected_list": [],
        },
        "meta": {},
        "exception_info": {"raised_exception": False, "exception_message": None, "exception_traceback": None},
    }


def write(result: Mapping[str, Any], folder: Path) -> Path:
    """Writes the result and the page of rules into `folder` (created); returns the result's path."""
    (folder / DATA_DOCS).mkdir(parents=True, exist_ok=True)
    path = folder / RESULT_FILE
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    shutil.copyfile(SHIPPED_RULES, folder / RULES_PAGE)
    return path
