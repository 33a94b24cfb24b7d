"""A case as it is filed: everything that its words and its attachments are made of, as a document of the journal.

    cases/<case>/packs/<digest>/       one version of a case that is ready: it follows its breaks, so there may be several
        orders-1.txt overview.pdf …    what is to be attached
        pack.json                      written last: without it the folder means nothing

What is in a pack is named by its digest, so that a person who files it says which one it was, and writing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from include.domain.errors import UnreadableDocument
from include.domain.states import Operation, Outcome, Reason
from include.restatements.cases.kinds import CaseKind
from include.restatements.checkpoints import Checkpoint
from include.restatements.journal.documents import Document, Moment, decoded, encoded
from include.storage.folder import Folder

CASES = "cases"
"""The folder of all cases, beside those of the runs."""

_CASE, _DIGEST = re.compile(r"[A-Za-z0-9_-]{1,120}"), re.compile(r"[0-9a-f]{12}")
_ATTACHMENT = re.compile(r"orders-[1-9][0-9]{0,5}\.txt|overview\.pdf")


class Sending(msgspec.Struct, frozen=True, array_like=True):
    """One time that an order state was sent live, and what CJ answered."""

    submitted_at: Moment
    submission_id: str | None
    batch_id: str | None
    outcome: Outcome
    words: str | None
    """CJ's, where it had any."""


class PackedOrder(msgspec.Struct, frozen=True, array_like=True):
    """One order state. Money is text: `amount` and `shown` in `currency`, `at_risk` in the advertiser's own."""

    action_tracker_id: int
    order_id: str
    updated_at: Moment
    amount: str | None
    shown: str | None
    """What Commission Detail shows; None where it shows nothing, or nothing that can be compared."""
    currency: str
    at_risk: str | None
    locks_at: Moment | None
    discount: str | None
    """As it was sent; `…_shown` as Commission Detail has it."""
    discount_shown: str | None
    coupon: str | None
    coupon_shown: str | None
    newest_record: str | None
    """The commission id of the newest record of the order."""
    sendings: Sequence[Sending]
    """In their order."""


class Attachment(msgspec.Struct, frozen=True, array_like=True):
    """A file of a pack."""

    name: str
    bytes: int


class Pack(Document, frozen=True, kw_only=True):
    """One version of a case."""

    case_id: str
    kind: CaseKind
    enterprise_id: str
    advertiser_id: str
    operation: Operation | None
    """None of a request for a subscription; likewise `reason`."""
    reason: Reason | None
    subject: str
    description: str
    orders: Sequence[PackedOrder]
    at_risk: str | None
    """What is known of it, in the advertiser's currency."""
    unpriced: int
    currency: str
    first_lock: Moment | None
    attachments: Sequence[Attachment]
    written_at: Moment | None = None
    """When this version was last written. No part of what was filed, nor of its digest; None where an earlier release wrote it."""


def digest_of(pack: Pack) -> str:
    """Twelve letters that are others where anything is another that the words or the attachments are made of."""
    return blake2b(encoded(msgspec.structs.replace(pack, attachments=(), written_at=None)), digest_size=6).hexdigest()


def keep_pack(files: Folder, pack: Pack, attachments: dict[str, bytes], checkpoint: Checkpoint) -> str:
    """Write it, its document last. Returns its digest. Raises StorageError."""
    digest = digest_of(pack)
    for name, data in attachments.items():
        files.write(path_of(pack.case_id, digest, name), data)
        checkpoint("after_case_attachment")
    files.write(path_of(pack.case_id, digest, "pack.json"), encoded(pack, indented=True))
    checkpoint("after_case_pack")
    return digest


def read_pack(files: Folder, case_id: str, digest: str) -> Pack:
    """Raises UnreadableDocument where it is gone or no pack, and StorageError."""
    path = path_of(case_id, digest, "pack.json")
    data, where = files.read(path), f"{files.url}/{path}"
    if data is None:
        raise UnreadableDocument(f"{where} is gone. Restore it from a backup of the storage, then run this again.")
    return decoded(data, Pack, where)


def packs_of(files: Folder, case_id: str) -> list[str]:
    """The digests of its packs that are whole."""
    return [digest for digest in files.names(f"{CASES}/{case_id}/packs") if "pack.json" in files.names(f"{CASES}/{case_id}/packs/{digest}")]


def is_case(case_id: str) -> bool:
    """Whether this can be the id of a case: nothing else of the storage is asked for by such a name."""
    return _CASE.fullmatch(case_id) is not None


def is_attachment(case_id: str, digest: str, name: str) -> bool:
    """Whether these name a file that goes with a case: nothing else of the storage is asked for by such a name."""
    return is_case(case_id) and _DIGEST.fullmatch(digest) is not None and _ATTACHMENT.fullmatch(name) is not None


def path_of(case_id: str, digest: str, name: str) -> str:
    """Of a file of a pack, below the journal's root."""
    return f"{CASES}/{case_id}/packs/{digest}/{name}"
