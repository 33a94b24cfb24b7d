"""A review's files: every order that is listed as CSV, and for each account the orders to put off, in CJ's own format.

CJ's extension file (docs.cj.com, Extension files): header lines `&CID=` and `&SUBID=`, an optional `&ENCODING=`; then a line for each transaction with two
positions, `tid,oid`, both always there and at least one filled. CJ does not say whether the first is the commission id or the id of the original action, so
the order id stands alone; that takes an id that is of one transaction only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from include.domain.cells import cell
from include.domain.errors import SettingError
from include.domain.prelock import Extension, Finding
from include.restatements.prelock.pack import Pack
from include.restatements.prelock.rules import FINDING
from include.restatements.prelock.words import hour
from include.restatements.rules.plan import BY_ID
from include.warehouse.arrow import python_rows
from include.warehouse.base import Session

COLUMNS = (
    "enterprise_id", "action_tracker_id", "order_id", "finding", "reason", "rule", "near", "locking_date", "at_stake", "held_amount", "wanted_amount",
    "currency", "held_cost", "change", "publisher_id", "publisher_name", "verdict", "verdict_reason", "verdict_risk", "noted_by", "noted_at", "note",
    "extension", "meaning", "what_to_do", "placed_at", "updated_at",
)  # fmt: skip
"""Of the CSV. Money of `at_stake`, `held_amount`, `held_cost` and `verdict_risk` is in the advertiser's currency, `wanted_amount` in the order's."""

CLICKS = ("Account Manager", "Subscriptions", "Upload File")
"""The way to CJ's form, in its own words."""

_IN_MEMORY = 4_000_000


def meaning_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """What an order's finding means, and what to do; of one that is held back, in the words of the rule that holds it."""
    rule = FINDING[str(row["finding"])]
    said = BY_ID.get(str(row["rule"] or ""))
    if said is not None and said.hold is not None:
        return said.sentence, said.advice or rule.advice
    if rule.id is Finding.SEND_NOW and isinstance(row["locking_date"], datetime):
        return rule.words, f"{rule.advice} It locks at {hour(row['locking_date'])}."
    return str(row["detail"] or rule.words), rule.advice


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of `page_prelock.sql` in COLUMNS."""
    for row in rows:
        means, action = meaning_of(row)
        yield {name: row.get(name) for name in COLUMNS} | {"meaning": means, "what_to_do": action}


def write_csv(rows: Iterable[Mapping[str, Any]]) -> IO[bytes]:
    """The listed orders, as a file of UTF-8 from its beginning. The mark before it tells a spreadsheet what it is."""
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - whoever reads it closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in lines(rows):
        writer.writerow([cell(row[name]) for name in COLUMNS])
    text.flush()
    text.detach()
    file.seek(0)
    return file


def extension_name(advertiser_id: str) -> str:
    """The file's name in the review's folder."""
    return f"extension-{advertiser_id}.csv"


def offered(pack: Pack) -> tuple[str, ...]:
    """The names of the files that a review has left in its folder."""
    lists = (extension_name(one.advertiser_id) for one in pack.accounts if one.extension_subscription_id and pack.chosen(one.advertiser_id))
    return ("pack.pdf", "pack.csv", *lists)


def extension_file(session: Session, review: int, advertiser_id: str, subscription_id: str) -> bytes:
    """The orders of one account to put off. Raises SettingError without the number of a subscription: CJ could not tell whose file it is."""
    if not subscription_id:
        raise SettingError(
            f"Advertiser {advertiser_id} has no extension_subscription_id in its connection's extra, so no extension file can be made. "
            "CJ's account manager lists the subscriptions; where there is none, ask CJ's support for one."
        )
    chosen = session.stream(
        f"SELECT order_id FROM cj.prelock_orders WHERE review = :review AND advertiser_id = :advertiser_id AND extension = '{Extension.CHOSEN}' "
        f"ORDER BY {session.binary_order('order_id')}",
        {"review": review, "advertiser_id": advertiser_id},
    )
    ids = [str(row["order_id"]) for batch in chosen for row in python_rows(batch)]
    plain = all(one.isascii() for one in ids)
    head = [f"&CID={advertiser_id}", f"&SUBID={subscription_id}", *([] if plain else ["&ENCODING=UTF-8"])]
    return "".join(f"{line}\n" for line in [*head, *(f",{one}" for one in ids)]).encode()
