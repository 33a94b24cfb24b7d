"""What a night keeps of its validation is what Great Expectations would have written, and enough to make its pages of."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema

from include.restatements.gate.data_docs import result_page
from include.restatements.gate.results import merged_result
from include.restatements.gate.suite import rules

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


def test_the_result_is_written_as_great_expectations_writes_it() -> None:
    result = merged_result(40, {rules()[3]: 2}, ["1500001"], NOW, refused=False)
    assert ExpectationSuiteValidationResultSchema().load(json.loads(json.dumps(result))).to_json_dict() == result


def test_the_page_says_which_rules_were_broken_how_often() -> None:
    shown = result_page(json.loads(json.dumps(merged_result(41, {rules()[3]: 13}, ["1500001"], NOW, refused=True))))
    assert "13 unexpected values found" in shown and "The order has an id." in shown
