"""The journal's documents: what stands in the JSON beside a chunk's orders and in a run's manifest, with its types and its version.

    version     0: written before documents had one; they are read as they are. Whoever writes, writes VERSION
    newer       refused: what a later package means by it is not known here
    wrong type  refused, and so is what is no JSON: changed by hand, or damaged
    more        fields nobody knows are left aside: a later release may add what an earlier one can do without, and raises the version for
                anything it cannot

Orders are tuples in columns of a document, never an object each: a chunk has up to 10,000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from include.domain.errors import UnreadableDocument
from include.domain.states import Answer, Mode, Operation

VERSION = 1
"""The version of every document that is written. Raise it when an earlier release would misread the new one."""

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
OrderKey: TypeAlias = tuple[int, str]
"""Action tracker and order id."""
Accepted: TypeAlias = tuple[int, str, str, str]
"""Action tracker, order id, CJ's submission id and batch id."""
Refused: TypeAlias = tuple[int, str, str]
"""Action tracker, order id, and CJ's words."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What every document has."""

    version: int = 0


class PlannedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """One chunk of a plan. `ref` is its place in the journal; `amounts` are sums by currency, as text."""

    ref: str
    enterprise_id: str
    operation: Operation
    orders: int
    content_hash: str
    amounts: Mapping[str, str]
    canary: bool = False
    """Whether it goes live first, and its account's others once it is proven (`canaries`)."""
    taken_back: str | None = None
    """Of the sales that commission is paid on, at most; in the advertiser's currency. None in those from before it was worked out."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in numbers of orders."""

    picked: int
    to_send: int
    create: int
    restate: int
    cancel: int
    quarantined: int
    skipped: int
    quarantined_by_reason: Mapping[str, int]
    skipped_by_reason: Mapping[str, int]
    chunks: int
    in_cents_by_kind: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Orders whose money was brought to the smallest unit of its currency: `rounded`; `settled`, where the lines missed the amount by a little."""

    def as_dict(self) -> dict[str, Any]:
        """For what travels between tasks."""
        return dict(msgspec.to_builtins(self))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan changes of one account by one operation and with one partner. Money, as text, in the advertiser's currency."""

    enterprise_id: str
    operation: Operation
    publisher_id: str | None
    """None where CJ does not know the order yet."""
    publisher_name: str | None
    orders: int
    at_stake: str
    """The commission and fee on the wrong state, of all but the `unpriced` orders."""
    unpriced: int
    taken_back: str
    """Of the sales that commission is paid on, of all but the `unmeasured` orders; likewise `added`."""
    added: str
    unmeasured: int
    held_of_unmeasured: str = "0.00"
    """What CJ holds of the unmeasured ones, as far as that is known: more cannot be taken back of them."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the money gate made of a plan, for one account. Money, as text, in the advertiser's currency."""

    enterprise_id: str
    backfill: bool
    created: int
    touched: int
    """Orders to be restated or cancelled."""
    taken_back: str
    """Of the sales that commission is paid on, at most."""
    open_orders: int
    open_money: str
    reasons: Sequence[tuple[str, str]]
    """Id and sentence of every rule that asks for a person."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier plan of a run had sent of an account when the run was planned again."""

    plan_number: int
    digest: str | None
    planned_at: Moment
    """By CJ's time."""
    judged: Judged
    """Its orders and money are those of what was sent, or may have been; the rest is what the gate said of the whole plan."""


class Manifest(Document, frozen=True, kw_only=True):
    """A run's plan: without it nothing of the run may be posted."""

    run_id: str
    interval: tuple[Moment, Moment]
    planned_at: Moment
    cj_time: Moment
    plan_number: int | None = None
    """What orders this plan among others; none in those from before plans had numbers."""
    modes: Mapping[str, Mode]
    advertisers: Mapping[str, str]
    """Enterprise id to advertiser id."""
    at_stake: str
    """Money, as text, in the advertiser's currency."""
    unpriced: int = 0
    """Orders to be sent of which it is not known what is at stake."""
    summary: Summary
    problems: Sequence[str]
    chunks: Sequence[PlannedChunk]
    digest: str | None = None
    """What a person approves (`include.restatements.plan.digest`)."""
    turn: int = 1
    """Which plan of its run it is: a run that is cleared plans again."""
    questions_before: int = 0
    """How many questions its run had been asked when it was planned: an answer to one of them is about an earlier plan."""
    moves: Sequence[Move] = ()
    """None in those from before they were worked out."""
    gate: Sequence[Judged] = ()
    """An account each that was going live."""
    sent: Sequence[Sent] = ()
    """Of the run's earlier plans."""
    found: int = 0
    """How many of its orders a pre-lock review has found to differ."""

    @property
    def reasons(self) -> list[str]:
        """Why the money gate asks for a person; none where it does not."""
        return [sentence for judged in self.gate for _, sentence in judged.reasons]


class Intent(Document, frozen=True, kw_only=True):
    """A call was about to leave: for these orders, with this payload."""

    chunk_id: str
    payload_hash: str
    declared_at: Moment
    orders: Sequence[OrderKey]


class Revocation(Document, frozen=True, kw_only=True):
    """In the place of an intent: another plan owns the orders."""

    chunk_id: str
    revoked_by: str
    revoked_at: Moment


class TakenBack(Document, frozen=True, kw_only=True):
    """Beside an intent: its call certainly never left, and its declarer gave it up. The next attempt is open."""

    chunk_id: str
    taken_back_by: str
    """Machine and process."""
    taken_back_at: Moment
    why: str


class Proven(Document, frozen=True, kw_only=True):
    """The account's other chunks of that plan may go live: CJ shows as it was sent every order of the canary that it took, and of each operation that others
    wait to follow it took at least half."""

    run_id: str
    plan_number: int
    enterprise_id: str
    orders: int
    """Those that CJ shows."""
    proven_at: Moment


class InTestMode(Document, frozen=True, kw_only=True):
    """Test Mode is over for this chunk."""

    chunk_id: str
    tested_at: Moment
    requests: int
    refused: Sequence[Refused]


class Asked(Document, frozen=True, kw_only=True):
    """A person was asked whether a plan may be sent."""

    run_id: str
    digest: str
    at_stake: str
    unpriced: int
    reasons: Sequence[str]
    subject: str
    body: str
    asked_at: Moment


class Decided(Document, frozen=True, kw_only=True):
    """What became of that question."""

    answer: Answer
    by: str | None
    """None where nobody answered."""
    at: Moment


class PrelockSigned(Document, frozen=True, kw_only=True):
    """A person has looked at a pre-lock review."""

    run_id: str
    digest: str
    review: int
    note: str
    shown: str
    """The review's sentences, as they were then."""
    by: str
    at: Moment


class Answered(Document, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of every order of a chunk. An order that is named nowhere is unknown."""

    chunk_id: str
    submitted_at: Moment
    mode: Mode
    accepted: Sequence[Accepted] = ()
    rejected: Sequence[Refused] = ()
    payload_hash: str | None = None
    unknown: bool = False
    """The call came back without a verdict, or never left a task that was frozen."""
    error: str | None = None


class Noted(Document, frozen=True, kw_only=True):
    """Somebody has looked at the verdict of an order state, which was this one, and said something. Money, as text."""

    run_id: str
    enterprise_id: str
    action_tracker_id: int
    order_id: str
    updated_at: Moment
    advertiser_id: str
    status: str
    reason: str | None
    submitted_amount: str | None
    posted_amount: str | None
    commission_at_risk: str | None
    locking_date: Moment | None
    note: str
    acknowledged_by: str
    acknowledged_at: Moment


AnyDocument = TypeVar("AnyDocument", bound=Document)


class _Heading(msgspec.Struct):
    """What is looked at first where a document does not say what it is."""

    version: int = 0
    revoked_by: Any = None


def encoded(document: Document, *, indented: bool = False) -> bytes:
    """The document in JSON a person can read, in the present version."""
    written = msgspec.structs.replace(document, version=VERSION)
    data = msgspec.json.encode(written, enc_hook=_as_text)
    return msgspec.json.format(data, indent=2) if indented else data


def decoded(data: bytes, kind: type[AnyDocument], where: str) -> AnyDocument:
    """The document of the file `where`. Raises UnreadableDocument, which names it and says what to do."""
    try:
        document: AnyDocument = _decoder(kind).decode(data)
    except msgspec.ValidationError as error:
        _must_be_known(_decode_heading(data, where).version, where)
        raise _wrong(where, f"it is not as this package writes it ({error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _wrong(where, "it is not JSON") from None
    _must_be_known(document.version, where)
    return document


def decoded_intent(data: bytes, where: str) -> Intent | Revocation:
    """What stands in an intent's file: the intent, or the revocation that took its place."""
    if _decode_heading(data, where).revoked_by is not None:
        return decoded(data, Revocation, where)
    return decoded(data, Intent, where)


def _decode_heading(data: bytes, where: str) -> _Heading:
    try:
        heading: _Heading = _decoder(_Heading).decode(data)
    except msgspec.ValidationError as error:
        raise _wrong(where, f"it is no document of this package ({error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _wrong(where, "it is not JSON") from None
    return heading


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _must_be_known(version: int, where: str) -> None:
    if version > VERSION:
        raise UnreadableDocument(
            f"{where} was written by a newer package: it is of version {version}, and this package reads up to {VERSION}. "
            "Nothing is sent until the newer package is installed here too."
        )


def _wrong(where: str, why: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{where} cannot be read: {why}. It was changed by hand, or the storage lost a part of it. Nothing is sent until it is restored."
    )


def _as_text(value: object) -> str:
    """Times of other libraries (Airflow's) as ours."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise NotImplementedError(f"A document holds a value of type {type(value).__name__}.")
