"""Every GraphQL document we send is valid under CJ's schemas; enums and parameter names are CJ's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema, build_schema, parse, validate

from include.cj.client import CJClient
from include.cj.parameters import ADVERTISER_VERTICALS, VERTICAL_PARAMETERS
from include.cj.payload import _ORDER_FIELDS
from include.cj.records import _ITEM_COLUMNS, _RECORD_COLUMNS
from include.cj.spelling import (
    POSTED_REASON,
    POSTED_STATUS,
    CorrectionReason,
    OrderStatus,
    PostedReason,
    ValidationStatus,
)
from include.domain.states import Operation

if TYPE_CHECKING:
    from tests.cj.conftest import Server

CJ = Path(__file__).parents[2] / "include/cj"
DOCUMENTS = sorted((CJ / "queries").glob("*.graphql"))


def schema(name: str) -> GraphQLSchema:
    return build_schema((CJ / "schema" / f"{name}.graphql").read_text())


@pytest.fixture(scope="module")
def tracking() -> GraphQLSchema:
    return schema("tracking")


@pytest.fixture(scope="module")
def commissions() -> GraphQLSchema:
    return schema("commissions")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.stem)
def test_a_document_is_valid_under_cjs_schema(path: Path, tracking: GraphQLSchema, commissions: GraphQLSchema) -> None:
    target = commissions if path.stem == "commissions" else tracking
    assert validate(target, parse(path.read_text())) == []


def test_a_document_with_an_unknown_field_would_be_found(tracking: GraphQLSchema) -> None:
    assert validate(tracking, parse("{ getBuildNumbers }"))


def test_the_query_with_its_values_written_out_is_valid_too(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]], commissions: GraphQLSchema
) -> None:
    cj.answers(page())
    client = connect(cj)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    client.commission_page("5501")
    client.commission_page("5501", since_posting=start, before_posting=start + timedelta(1), since_commission_id='9"', commission_ids=["1"])
    for asked in cj.asked:
        assert validate(commissions, parse(asked.json()["query"])) == []


def test_the_query_asks_for_exactly_the_fields_that_are_decoded() -> None:
    document = (CJ / "queries/commissions.graphql").read_text()
    asked = document[document.index("records {") :].replace("{", " ").replace("}", " ").split()
    decoded = [field for _, field, _, _ in (*_RECORD_COLUMNS, *_ITEM_COLUMNS)]
    assert sorted(asked) == sorted([*decoded, "records", "items"])


@pytest.mark.parametrize("operation", list(Operation))
def test_the_fields_of_each_operation_are_those_of_its_input_type(tracking: GraphQLSchema, operation: Operation) -> None:
    kind = {"create": "OrderCreateRequest", "restate": "OrderRestateRequest", "cancel": "OrderCancelRequest"}[operation]
    found = tracking.type_map[kind]
    assert isinstance(found, GraphQLInputObjectType)
    inputs = found.fields
    sent = [field for field, _ in _ORDER_FIELDS[operation]]
    assert set(inputs) - set(sent) <= {"bypassChannel", "ids"}
    assert set(sent) <= set(inputs)


def test_parameter_names_and_verticals_are_cjs(tracking: GraphQLSchema) -> None:
    bag = next(t for name, t in tracking.type_map.items() if name.startswith("Vertical") and hasattr(t, "fields"))
    assert set(bag.fields) == VERTICAL_PARAMETERS
    assert set(bag.fields["advertiserVertical"].type.values) == ADVERTISER_VERTICALS


def test_both_spellings_map_onto_each_other_and_leave_out_only_what_nobody_can_write() -> None:
    assert set(POSTED_REASON) == set(CorrectionReason)
    assert set(PostedReason) - set(POSTED_REASON.values()) == {PostedReason.QUALIFIED_LEAD}
    assert POSTED_REASON[CorrectionReason("CannotShipSoldOut")] == "CANT_SHIP_OR_SOLD_OUT"
    assert POSTED_REASON[CorrectionReason("DuplicateOrder")] == "DUPLICATED_ORDER"
    assert len(set(POSTED_REASON.values())) == len(CorrectionReason)
    assert set(POSTED_STATUS) == set(OrderStatus)
    assert set(ValidationStatus) - set(POSTED_STATUS.values()) == {ValidationStatus.AUTOMATED}
