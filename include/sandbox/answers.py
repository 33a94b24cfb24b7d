"""What the endpoints hand to HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from include.sandbox.documents import Refused

GATEWAY_TIMEOUT = "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """One answer, and what the call log says of it."""

    status: int
    body: bytes
    media_type: str = "application/json"
    operation: str | None = None
    orders: int = 0
    headers: dict[str, str] = field(default_factory=dict)


def data(values: dict[str, Any], operation: str | None = None, orders: int = 0) -> Answer:
    """A GraphQL answer that went well."""
    return Answer(200, orjson.dumps({"data": values}), operation=operation, orders=orders)


def refusal(refused: Refused, operation: str | None = None, orders: int = 0) -> Answer:
    """HTTP 200 with `errors`, as CJ answers what it refuses as a whole."""
    errors = [{"message": m, "extensions": {"classification": refused.classification}} for m in refused.messages]
    return Answer(200, orjson.dumps({"errors": errors, "data": None}), operation=operation, orders=orders)


def broken(field: str, message: str, operation: str | None, orders: int) -> Answer:
    """HTTP 200 as graphql-java answers where a field's execution failed: the field is null, and the error says where (`path`)."""
    error = {"message": message, "path": [field], "extensions": {"classification": "DataFetchingException"}}
    return Answer(200, orjson.dumps({"errors": [error], "data": {field: None}}), operation=operation, orders=orders)


def gateway_timeout(operation: str | None, orders: int) -> Answer:
    """HTTP 504 with a gateway's HTML: too many orders, or CJ is overloaded."""
    return Answer(504, GATEWAY_TIMEOUT.encode(), "text/html", operation, orders)
