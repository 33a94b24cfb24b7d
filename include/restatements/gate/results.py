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


def rules_page() -> str:
    """`docs/validation-rules.md`: every rule of the suite, in the order they decide the reason."""
    head = (
        "# Validation rules\n\n"
        "What an order change must be before it may go to CJ. Generated from `include/restatements/gate/expectations/order_changes.json` by\n"
        "`python -m include.restatements.gate.results`; the tests fail where the two differ.\n\n"
        "An order that breaks a rule is held back in `cj.quarantine` with stage `validation`. Its `reason` is that of the first rule it breaks, in\n"
        "the order below; its `detail` says every one. What a cancellation does not carry to CJ (amount, discount, currency, coupon, items,\n"
        "parameters, attribution) is not judged on one. Once at least 20 orders fail and they are more than `max_quarantine_ratio` of the\n"
        "night, nothing is sent.\n\n"
        "| reason | columns | rule | source |\n|---|---|---|---|\n"
    )
    lines = [f"| `{rule.reason}` | {rule.about} | {rule.rule} | {rule.source} |\n" for rule in rules()]
    return head + "".join(lines)


if __name__ == "__main__":
    Path("docs/validation-rules.md").write_text(rules_page(), encoding="utf-8")
