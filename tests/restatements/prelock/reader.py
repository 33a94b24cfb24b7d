"""A reader of CJ's extension files, written from their description and from nothing of ours.

docs.cj.com, Extension files: "header lines &CID=<advertiser CID>, &SUBID=<extension subscription id>, optional &ENCODING=; then one record a line with two
positions, tid,oid, both always present, at least one filled; with both, TID wins; an order id alone must be unique per transaction".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExtensionFile:
    """What CJ would read in it: ids of orders, where no transaction id is given."""

    cid: str
    subscription: str
    encoding: str
    transactions: list[str]
    orders: list[str]


def read(content: bytes) -> ExtensionFile:
    """Raises ValueError for what is no extension file."""
    headers: dict[str, str] = {}
    records: list[tuple[str, str]] = []
    for number, line in enumerate(content.decode(_encoding(content)).split("\n")):
        if not line:
            if number != content.count(b"\n"):
                raise ValueError(f"line {number + 1} is empty")
            continue
        if line.startswith("&"):
            if records:
                raise ValueError("a header after the first record")
            name, _, value = line[1:].partition("=")
            if name in headers or name not in ("CID", "SUBID", "ENCODING") or not value:
                raise ValueError(f"header {line}")
            headers[name] = value
            continue
        positions = line.split(",")
        if len(positions) != 2 or not any(positions) or any(one != one.strip() or '"' in one for one in positions):
            raise ValueError(f"record {line}")
        records.append((positions[0], positions[1]))
    orders = [oid for tid, oid in records if not tid]
    if len(set(orders)) != len(orders):
        raise ValueError("an order id twice")
    if not headers["CID"].isdigit() or not headers["SUBID"].isdigit():
        raise ValueError("an id that is no number")
    return ExtensionFile(headers["CID"], headers["SUBID"], headers.get("ENCODING", ""), [tid for tid, _ in records if tid], orders)


def _encoding(content: bytes) -> str:
    return "utf-8" if b"&ENCODING=UTF-8\n" in content else "ascii"
