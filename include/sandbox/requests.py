"""The first stages of every request to CJ: who asks (authentication), and what (syntax)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from include.sandbox.accounts import Account, Accounts
from include.sandbox.documents import Refused


@dataclass(frozen=True)
class Body:
    """A GraphQL request."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None


def authenticate(accounts: Accounts, authorization: str | None) -> tuple[Account, ...]:
    """The accounts the bearer token may act for. Raises Refused with `Missing Token` or `Invalid Token`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("Missing Token", classification="Authentication")
    held = accounts.of_token(token.strip())
    if not held:
        raise Refused("Invalid Token", classification="Authentication")
    return held


def read_body(raw: bytes) -> Body:
    """Raises Refused with `Invalid Syntax`."""
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused("Invalid Syntax: the body is not JSON.", classification="InvalidSyntax") from None
    query = parsed.get("query") if isinstance(parsed, dict) else None
    if not isinstance(query, str):
        raise Refused("Invalid Syntax: the body holds no query.", classification="InvalidSyntax")
    variables, name = parsed.get("variables") or {}, parsed.get("operationName")
    if not isinstance(variables, dict) or not (name is None or isinstance(name, str)):
        raise Refused("Invalid Syntax: variables must be an object and operationName a string.", classification="InvalidSyntax")
    return Body(query, variables, name)
