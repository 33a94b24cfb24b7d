"""The digest of a plan: what a person approves, and what alone may then be submitted."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from include.restatements.journal.documents import Manifest

DIGEST_BYTES = 8
"""16 digits: short enough to compare by eye, and two plans of one run do not meet by chance."""


def digest_of(manifest: Manifest) -> str:
    """blake2b over how far the plan goes, the money at stake, what it moves with whom, why the gate asks, how much of it a review found, and every chunk's operation, orders, money and content: planned again, the same plan is the same."""
    chunks = [
        (chunk.enterprise_id, chunk.operation, chunk.orders, chunk.content_hash, sorted(chunk.amounts.items())) for chunk in manifest.chunks
    ]
    # What an earlier release did not tell is left out where it is not there: its digests stay what they were.
    more = ([manifest.unpriced] if manifest.unpriced else []) + ([list(manifest.moves)] if manifest.moves else []) + manifest.reasons
    more += [f"{manifest.found} found"] if manifest.found else []
    told = (sorted(manifest.modes.items()), manifest.at_stake, chunks, *more)
    return blake2b(msgspec.json.encode(told), digest_size=DIGEST_BYTES).hexdigest()
