"""What may be a person's, and what stands for it where it must not be kept: in a table of what went wrong, a log, a report."""

from __future__ import annotations

import hashlib
import re

EMAIL = r"[^@\s]+(@|%40)[^@\s]+\.[^@\s]+"
"""What looks like an e-mail address, also where it was escaped for a link."""

HIDDEN = "[hidden]"
"""Stands where a value was taken out."""

_EMAIL = re.compile(EMAIL)


def without_emails(text: str) -> str:
    """The text with everything that looks like an e-mail address taken out."""
    return _EMAIL.sub(HIDDEN, text)


def pseudonym(order_id: str) -> str:
    """What stands for an order id that is somebody's e-mail address; a warehouse can compute it to find the order."""
    return f"sha256-{hashlib.sha256(order_id.encode()).hexdigest()[:32]}"


def named(order_id: str) -> str:
    """The order id, or its pseudonym where it looks like an e-mail address."""
    return pseudonym(order_id) if _EMAIL.search(order_id) else order_id
