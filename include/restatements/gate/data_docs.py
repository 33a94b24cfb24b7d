"""Data Docs: Great Expectations' own pages, of a validation result that was kept and of the suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from include.restatements.gate.suite import rules, suite_of  # first: it silences great_expectations before its import

# isort: split
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema
from great_expectations.render.renderer import ExpectationSuitePageRenderer, ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView


def result_page(result: Mapping[str, Any]) -> str:
    """The page of a result as `results` writes it, of whatever release: all that the page says is in it."""
    return _pages().render(ValidationResultsPageRenderer().render(ExpectationSuiteValidationResultSchema().load(dict(result))))


def rules_page() -> str:
    """The page of the suite, the same each time it is made: the moment that the view puts into the address of a picture is left out."""
    made = _pages().render(ExpectationSuitePageRenderer().render(suite_of(rules())))
    lines = (line.rstrip() for line in re.sub(r"\?d=\w+\.\w+", "", made).splitlines())
    return "\n".join(lines) + "\n"


@cache
def _pages() -> DefaultJinjaPageView:
    """One view for all pages: each view parses its templates anew."""
    return DefaultJinjaPageView()
