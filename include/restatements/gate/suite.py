"""The suite of rules, read from `expectations/order_changes.json` into Great Expectations, and judged by it a batch at a time.

How it works. Three passes, each only over what the one before left: BOOLEAN_ONLY says which rules a batch breaks at all (most break none), SUMMARY
counts how often, COMPLETE names the rows. Who only needs the counts never asks for the rows. And of a flag that has to be true, and is in every row, and of what has to
be there, and is in every row, there is nothing to ask: a question costs as much for three rows as for a hundred thousand.

What it does not do. It keeps no row: results hold counts, and the frame it judges holds findings, not values.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when great_expectations is imported

import great_expectations as gx
from great_expectations.core import ExpectationSuite
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults, ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from include.domain.errors import RestatementsError

for _name in ("great_expectations", "great_expectations.data_context.types.base"):  # the second sets its own level when imported
    logging.getLogger(_name).setLevel(logging.WARNING)

SUITE_FILE = Path(__file__).with_name("expectations") / "order_changes.json"

MALFORMED_COLUMN = "<column>"
"""Stands in a reason for the name the row's `malformed` holds."""

BOOLEAN = {"result_format": "BOOLEAN_ONLY"}
SUMMARY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
COMPLETE = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
    "exclude_unexpected_values": True,
}


class ValidationBroken(RestatementsError):
    """Great Expectations could not judge a rule. Nothing was sent."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One expectation of the suite. `position` is its place there: of several broken rules the first gives the reason."""

    position: int
    type: str
    column: str
    reason: str
    about: str
    rule: str
    source: str
    kwargs: Mapping[str, Any]

    @property
    def detail(self) -> str:
        """The sentence for `cj.quarantine.detail`: which column, which rule, no value."""
        return f"{self.about}: {self.rule}"

    @property
    def meta(self) -> dict[str, Any]:
        """What Great Expectations carries of it and does not read."""
        return {"position": self.position, "reason": self.reason, "about": self.about, "rule": self.rule, "source": self.source}

    @property
    def configuration(self) -> ExpectationConfiguration:
        return ExpectationConfiguration(type=self.type, kwargs=dict(self.kwargs), meta=self.meta, description=self.rule)


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the suite's order."""
    document = json.loads(SUITE_FILE.read_text(encoding="utf-8"))
    return tuple(
        Rule(position, e["type"], e["kwargs"]["column"], **e["meta"], kwargs=e["kwargs"])
        for position, e in enumerate(document["expectations"])
    )


def suite_of(chosen: Sequence[Rule]) -> ExpectationSuite:
    """A Great Expectations suite of these rules."""
    return ExpectationSuite(name="order_changes", expectations=[rule.configuration for rule in chosen])


class Judge:
    """Great Expectations over one finding frame after another, with what it has counted so far.

    `validations` counts the passes by result format.
    """

    def __init__(self, enterprises: frozenset[str]) -> None:
        self.enterprises = sorted(enterprises)
        self.validations = {"BOOLEAN_ONLY": 0, "SUMMARY": 0, "COMPLETE": 0}
        self._batches = _batch_definition()

    def broken(self, frame: pd.DataFrame) -> list[Rule]:
        """The rules that at least one row breaks, in the suite's order."""
        asked = [rule for rule in rules() if not _surely_kept(rule, frame)]
        return [rule for rule, result in self._validate(frame, suite_of(asked), BOOLEAN) if not result.success]

    def counts(self, frame: pd.DataFrame, chosen: list[Rule]) -> dict[Rule, int]:
        """How many rows break each of these rules."""
        return {rule: int(_figure(rule, result, "unexpected_count")) for rule, result in self._validate(frame, suite_of(chosen), SUMMARY)}

    def rows(self, frame: pd.DataFrame, chosen: list[Rule]) -> dict[Rule, np.ndarray[Any, Any]]:
        """The positions of the rows that break each of these rules."""
        results = self._validate(frame, suite_of(chosen), COMPLETE)
        return {rule: np.asarray(_figure(rule, result, "unexpected_index_list"), np.int64) for rule, result in results}

    def _validate(
        self, frame: pd.DataFrame, suite: ExpectationSuite, result_format: dict[str, Any]
    ) -> list[tuple[Rule, ExpectationValidationResult]]:
        self.validations[result_format["result_format"]] += 1
        batch = self._batches.get_batch(batch_parameters={"dataframe": frame})
        result = batch.validate(suite, result_format=result_format, expectation_parameters={"enterprises": self.enterprises})
        return sorted(((_rule_of(one), one) for one in result.results), key=lambda pair: pair[0].position)


def _surely_kept(rule: Rule, frame: pd.DataFrame) -> bool:
    """Whether this is a flag that has to be true, or what has to be there or must not, and is so in every row: then no row breaks the rule."""
    if rule.column not in frame:
        return False
    found, asked = frame[rule.column], {name: value for name, value in rule.kwargs.items() if name != "column"}
    match rule.type, asked:
        case "expect_column_values_to_be_in_set", {"value_set": [True], **others} if not others:
            return found.dtype == np.bool_ and bool(found.all())
        case "expect_column_values_to_not_be_null", {**others} if not others:
            return bool(found.notna().all())
        case "expect_column_values_to_be_null", {**others} if not others:
            return bool(found.isna().all())
    return False


def _batch_definition() -> BatchDefinition:
    """Frames in memory, in a context that leaves no file behind."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    return (
        context.data_sources.add_pandas("warehouse").add_dataframe_asset("order_changes").add_batch_definition_whole_dataframe("findings")
    )


def _rule_of(result: ExpectationValidationResult) -> Rule:
    config = result.expectation_config
    assert config is not None and config.meta is not None
    rule = rules()[config.meta["position"]]
    raised = result.exception_info or {}
    if raised.get("raised_exception") or any(isinstance(part, dict) and part.get("raised_exception") for part in raised.values()):
        raise ValidationBroken(
            f"Great Expectations could not check {rule.type} on the finding {rule.column!r} ({rule.reason}). Nothing was sent. "
            "Compare include/restatements/gate/expectations/order_changes.json with the findings of include/restatements/gate/findings.py."
        )
    return rule


def _figure(rule: Rule, result: ExpectationValidationResult, name: str) -> Any:
    if name not in result.result:
        raise ValidationBroken(f"Great Expectations gave no {name} for {rule.type} on {rule.column!r} ({rule.reason}). Nothing was sent.")
    return result.result[name]
