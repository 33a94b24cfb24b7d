"""The words of a case as CJ's support asks for them: what was tried, the steps, what happened, CJ's words, and the environment.

Nothing personal and no token goes in: order ids, CJ's own ids, times and amounts alone. An order id that looks like an address stands as its mark.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version

from include.domain.account import Account
from include.domain.locking import lock_of
from include.domain.money import exact_sum, money, money_text
from include.domain.personal import HIDDEN, named, without_emails
from include.domain.states import Operation, Outcome, Reason
from include.restatements.cases.kinds import FIELDS, SUBSCRIPTIONS, TOLD_IN_A_LINE, CaseKind, CaseRule
from include.restatements.cases.pack import PackedOrder

EXAMPLES = 3
"""Orders that the description names; the attachment has all."""
_BATCHES, _WORDS = 5, 5

_DONE = {Operation.CREATE: "new order", Operation.RESTATE: "restatement", Operation.CANCEL: "cancellation"}
_BEARER = re.compile(r"(?i)\bbearer\s+\S+|\beyJ[\w.-]{10,}")


def subject_of(rule: CaseRule, operation: Operation, reason: Reason, advertiser_id: str, orders: int) -> str:
    """Concise and specific."""
    return rule.subject.format(what=counted(operation, orders), advertiser=advertiser_id, field=FIELDS.get(reason, "record"))


def description_of(
    rule: CaseRule, operation: Operation, reason: Reason, account: Account, orders: Sequence[PackedOrder], deadline_hours: float
) -> str:
    """For the form's field. `deadline_hours`: how long after the last sending Commission Detail was looked at before anything was called lost."""
    first, last = _span(orders)
    many, field = len(orders), FIELDS.get(reason, "record")
    locks = first_lock(orders)
    before_lock = f" before {_moment(locks)}, when the {'order' if many == 1 else 'first of them'} locks" if locks else ""
    before = "" if operation is Operation.CREATE else f"; it still shows the order{'' if many == 1 else 's'} as before"
    these, them = ("this change", "it") if many == 1 else ("these changes", "them")
    both = " The attached file has both for each order." if reason in TOLD_IN_A_LINE else ""
    read = f"more than {deadline_hours:g} hours after the last sending" if rule.kind is CaseKind.LOST else "after the change had posted"
    trackers = sorted({order.action_tracker_id for order in orders})
    parts = {
        "What we tried": f"To send {counted(operation, many)} through the Restatements API: mutation {operation.value}Orders, POST {account.tracking_url}/graphql. "
        f"Enterprise {account.enterprise_id}, advertiser CID {account.advertiser_id}, action tracker {', '.join(map(str, trackers[:10]))}"
        f"{' and others' if len(trackers) > 10 else ''}.",
        "Steps": "\n".join(f"{number}. {step}" for number, step in enumerate(_steps(operation, account, orders, first, last, read), 1)),
        "What happened": rule.happened.format(these=these, them=them, field=field, before=before, both=both) + _cost(orders, account.currency),
        "Error messages": _words_of_cj(orders),
        "For example": "\n".join(_example(order, reason) for order in orders[:EXAMPLES]),
        "What we ask": rule.asks.format(these=these, them=them, field=field, before_lock=before_lock),
        "Environment": f"Server to server over HTTPS, no browser. CJ Restatements {_package()}, Python {platform.python_version()}, httpx {version('httpx')}. "
        "All times are UTC.",
        "Attached": "orders-1.txt (where it is large, orders-2.txt and so on): every order with the ids of each submission. overview.pdf: the same on one page, the dearest orders first.",
    }  # fmt: skip
    return "\n\n".join(f"{name}:\n{text}" for name, text in parts.items())


def subscription_words(kind: CaseKind, account: Account) -> tuple[str, str]:
    """Subject and description of the request for a subscription."""
    told = SUBSCRIPTIONS[kind]
    parts = {
        "What we ask": f"Please set up a subscription for {told.what} files for advertiser CID {account.advertiser_id} (enterprise {account.enterprise_id}), and send us "
        "its subscription id. We upload the files by hand in Account Manager, under Subscriptions, Upload File; no SFTP is needed.",
        "What for": f"To {told.uses}.",
        "What we tried": "Our corrections go through the Restatements API. Such a file names its subscription in its head, and we know of none; if there is one already, please "
        "tell us its id.",
        "Environment": f"CJ Restatements {_package()}; the files are written by it in CJ's own format.",
    }  # fmt: skip
    subject = f"Request for a subscription for {told.what} files (CID {account.advertiser_id})"
    return subject, "\n\n".join(f"{name}:\n{text}" for name, text in parts.items())


def counted(operation: Operation, orders: int) -> str:
    """`2 cancellations`."""
    return f"{orders:,} {_DONE[operation]}{'' if orders == 1 else 's'}"


def first_lock(orders: Iterable[PackedOrder]) -> datetime | None:
    """When the first of them locks; None where no day is set for any."""
    return min(filter(None, (lock_of(order.locks_at) for order in orders)), default=None)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text without e-mail addresses, without these secrets, and without what looks like a token; of characters a person can read alone."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _BEARER.sub(HIDDEN, without_emails(text))
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def shown_order(order: PackedOrder) -> str:
    """The order id, or what stands for it."""
    return " ".join(named(order.order_id).split())


def _steps(operation: Operation, account: Account, orders: Sequence[PackedOrder], first: datetime, last: datetime, read: str) -> list[str]:
    sendings = [sending for order in orders for sending in order.sendings]
    accepted = [sending for sending in sendings if sending.outcome is Outcome.ACCEPTED]
    batches = list(dict.fromkeys(sending.batch_id for sending in accepted if sending.batch_id))
    again = sum(len(order.sendings) > 1 for order in orders)
    unanswered = sum(all(sending.outcome is not Outcome.ACCEPTED for sending in order.sendings) for order in orders)
    who = "the order" if len(orders) == 1 else f"{len(orders) - unanswered:,} of the orders" if unanswered else "each of the orders"
    more = " and others (attached)" if len(batches) > _BATCHES else ""
    answered = (
        f"CJ's answer named {who} with a submission id and a batch id. The batch{'' if len(batches) == 1 else 'es'}: {', '.join(batches[:_BATCHES])}{more}; "
        "the submission ids are attached."
    )
    steps = [
        f"Test Mode first (POST {account.tracking_url}/graphqltest): it let {'the order' if len(orders) == 1 else 'every order'} pass.",
        f"Then live, mutation {operation.value}Orders, sent {_moment(first)}" + ("." if first == last else f" to {_moment(last)}."),
    ]
    if len(orders) > unanswered:
        steps.append(answered)
    if unanswered:
        steps.append(f"Of {unanswered:,} of them no answer came back to us." if len(orders) > 1 else "No answer came back to us.")
    if again:
        times = max(len(order.sendings) for order in orders)
        some = (
            "It was"
            if len(orders) == 1
            else "All of them were"
            if again == len(orders)
            else f"{again:,} of them {'was' if again == 1 else 'were'}"
        )
        steps.append(f"{some} sent again in the same state, up to {times} times in all, and it came to the same.")
    steps.append(f"Commission Detail read through its API ({account.commissions_url}), {read}.")
    return steps


def _cost(orders: Sequence[PackedOrder], currency: str) -> str:
    known = [money(order.at_risk) for order in orders if order.at_risk is not None]
    unknown = len(orders) - len(known)
    told = f" Commission and fee on what is wrong: about {money_text(exact_sum(known))} {currency}" if known else ""
    if not known:
        return ""
    return told + (f", and an amount we do not know on {unknown:,} of them." if unknown else ".")


def _words_of_cj(orders: Sequence[PackedOrder]) -> str:
    words = list(dict.fromkeys(sending.words for order in orders for sending in order.sendings if sending.words))
    if not words:
        return "None. Neither the answers nor anything since named an error."
    return "In CJ's words: " + "; ".join(f'"{text}"' for text in words[:_WORDS]) + (" and others." if len(words) > _WORDS else ".")


def _example(order: PackedOrder, reason: Reason) -> str:
    last = order.sendings[-1]
    told = [f"amount sent {order.amount or 'none'} {order.currency}"]
    if reason is Reason.DISCOUNT:
        told.append(f"discount sent {order.discount or 'none'}, shown {order.discount_shown or 'none'}")
    elif reason is Reason.COUPON:
        told.append(f"coupon sent {order.coupon or 'none'}, shown {order.coupon_shown or 'none'}")
    elif order.shown is not None:
        told.append(f"amount shown {order.shown}")
    return (
        f"- Order {shown_order(order)}, action tracker {order.action_tracker_id}: sent {_moment(last.submitted_at)}, submission {last.submission_id or 'not known'}, "
        f"batch {last.batch_id or 'not known'}, {', '.join(told)}."
    )


def _span(orders: Sequence[PackedOrder]) -> tuple[datetime, datetime]:
    moments = [sending.submitted_at for order in orders for sending in order.sendings]
    return min(moments), max(moments)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _package() -> str:
    from include import __version__

    return __version__
