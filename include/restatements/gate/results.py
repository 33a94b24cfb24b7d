"""What a run's validation leaves on disk: one Great Expectations result with counts, and its Data Docs. No value of any row.

However many batches a night has, the counts are added up and the pages built once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from include.restatements.gate.suite import Rule, rules, suite_of  # first: it silences great_expectations before its import

# isort: split
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.render.renderer import ExpectationSuitePageRenderer, ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

RESULT_FILE = "validation_result.json"
DATA_DOCS = "data_docs"


def merged_result(
    rows: int, failed: Mapping[Rule, int], enterprises: list[str], now: datetime, refused: bool
) -> ExpectationSuiteValidationResult:
    """One result for the whole run: `rows` rows judged, `failed` says how many broke each rule."""
    results = [_merged_rule(rule, rows, failed.get(rule, 0)) for rule in rules()]
    passed = sum(bool(result.success) for result in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(results) - passed,
        "success_percent": 100.0 * passed / len(results),
    }
    run = RunIdentifier(run_name=now.isoformat(), run_time=now)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name="order_changes",
        suite_parameters={"enterprises": enterprises},
        statistics=statistics,
        meta={"run_id": run.to_json_dict(), "rows": rows, "refused": refused},
    )


def _merged_rule(rule: Rule, rows: int, failed: int) -> ExpectationValidationResult:
    result = {
        "element_count": rows,
        "unexpected_count": failed,
        "unexpected_percent": 100.0 * failed / rows if rows else 0.0,
        "partial_unexpected_list": [],
    }
    return ExpectationValidationResult(
        success=failed == 0, expectation_config=rule.configuration, result=result, exception_info=_NOTHING_RAISED
    )


_NOTHING_RAISED = {"raised_exception": False, "exception_message": None, "exception_traceback": None}


def write(result: ExpectationSuiteValidationResult, folder: Path) -> Path:
    """Writes the result and its Data Docs into `folder` (created); returns the result's path."""
    docs = folder / DATA_DOCS
    docs.mkdir(parents=True, exist_ok=True)
    path = folder / RESULT_FILE
    path.write_text(json.dumps(result.to_json_dict(), indent=1) + "\n", encoding="utf-8")
    (docs / "index.html").write_text(_pages().render(ValidationResultsPageRenderer().render(result)), encoding="utf-8")
    (docs / "rules.html").write_text(_suite_page(), encoding="utf-8")
    return path


@cache
def _pages() -> DefaultJinjaPageView:
    """One view for all pages: each view parses its templates anew."""
    return DefaultJinjaPageView()


@cache
def _suite_page() -> str:
    return _pages().render(ExpectationSuitePageRenderer().render(suite_of(rules())))
