"""One CJ account, its token, and the addresses a token may be sent to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from include.domain.errors import SettingError
from include.domain.states import Mode

MAX_ORDERS_PER_REQUEST = 10_000
"""CJ: "limit submissions to a maximum of 10,000 orders at a time" (Restatements API)."""

_HOST = re.compile(r"[A-Za-z0-9._:-]+")
"""What a host's name or number is made of."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Token(str):
    """A personal access token. Prints as stars, so that it cannot reach a log, a traceback or an XCom by accident."""

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def reveal(self) -> str:
        """The token itself. The Authorization header is the only place that may call this."""
        return str.__str__(self)


def safe_url(url: str, where: str) -> str:
    """`url`, if a token may be sent to it: https, or plain http to loopback. Raises SettingError otherwise, without repeating a password."""
    if "@" in url:
        raise SettingError(f"{where} holds an '@', so perhaps a password. Leave out what stands before the host; the token is enough.")
    try:
        parts = urlsplit(url)
        readable = parts.port != 0 and (parts.hostname is None or _HOST.fullmatch(parts.hostname) is not None)
    except ValueError:
        readable = False
    if not readable:
        raise SettingError(f"{where} is {url!r}, which cannot be read as an address. Write it like https://host.example.")
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return url
    raise SettingError(f"{where} is {url!r}: a token is only sent over https, or to loopback. Use an https:// address.")


def bare_url(url: str, where: str) -> str:
    """`safe_url`, for an address that CJ's paths are added to."""
    parts = urlsplit(safe_url(url, where))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingError(f"{where} is {url!r}: leave out what follows the host. CJ's paths are added to it.")
    return url


@dataclass(frozen=True)
class Account:
    """One CJ account: an Airflow connection of its own."""

    conn_id: str
    enterprise_id: str
    advertiser_id: str
    token: Token
    currency: str = "USD"
    mode: Mode = Mode.TEST
    tracking_url: str = "https://tracking.api.cj.com"
    commissions_url: str = "https://commissions.api.cj.com/query"
    sale_amount_basis: str = "net"
    extension_subscription_id: str = ""
    """CJ's number of the subscription that extension files are uploaded for; empty where there is none."""

    def __post_init__(self) -> None:
        if not self.token:
            raise SettingError(f"Connection {self.conn_id!r} has no password: put CJ's personal access token there.")
        if self.sale_amount_basis not in ("net", "gross"):
            raise SettingError(
                f"Connection {self.conn_id!r}: extra sale_amount_basis is {self.sale_amount_basis!r}; it must be 'net' or 'gross'."
            )
        bare_url(self.tracking_url, f"Connection {self.conn_id!r}: extra tracking_url")
        safe_url(self.commissions_url, f"Connection {self.conn_id!r}: extra commissions_url")


def check_mode(mode: Mode | None, account: Account, asked_by: str = "The run") -> None:
    """Raises SettingError for `live` against a connection that says test; `asked_by` is where `mode` is written down."""
    if mode is Mode.LIVE and account.mode is Mode.TEST:
        raise SettingError(
            f"{asked_by} asks for mode 'live', but connection {account.conn_id!r} says 'test'. "
            'Nothing was sent. Set "mode": "live" in the connection\'s extra to allow it, or ask for \'test\'.'
        )
