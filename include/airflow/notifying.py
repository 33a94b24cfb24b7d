"""Notices go out through Airflow's own notifiers, each by its dotted name; what they need of a server stands in an Airflow connection.

The Variable `cj_notifiers` lists them, with what each is made with; every text may use `{{ notice.subject }}`, `{{ notice.words }}`, `{{ notice.page }}` and
`{{ notice.kind }}`. E-mail, Slack and Apprise have texts of their own where none is given. Besides them every notice is a line of the task's log.

A notifier that fails, or does not end within a minute, is tried again by the next hour, and fails nothing else. A notice is told once by each notifier until it is over.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeAlias

from include.airflow.warehouse import warehouse_location
from include.restatements.notices.kinds import Notice, NoticeKind
from include.restatements.notices.record import close_over, keep_told, untold
from include.restatements.settings import Settings

log = logging.getLogger(__name__)

LOG = "the log"
"""The way that is always there."""
LONGEST_SENDING = timedelta(minutes=1)
"""Then a notifier counts as failed."""
Way: TypeAlias = tuple[str, str, str]
"""Kind and name of a notice, and a way it was told by."""

_CHAT = "*{{ notice.subject }}*\n{{ notice.words }}\n{{ notice.page }}"
TEXTS: Mapping[str, Mapping[str, str]] = {
    "airflow.providers.smtp.notifications.smtp.SmtpNotifier": {
        "subject": "CJ: {{ notice.subject }}",
        "html_content": '<p>{{ notice.words | e }}</p><p><a href="{{ notice.page | e }}">{{ notice.page | e }}</a></p>',
    },
    "airflow.providers.slack.notifications.slack.SlackNotifier": {"text": _CHAT},
    "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier": {"text": _CHAT},
    "airflow.providers.apprise.notifications.apprise.AppriseNotifier": {
        "title": "CJ: {{ notice.subject }}",
        "body": "{{ notice.words }}\n{{ notice.page }}",
    },
}
"""What a notifier says where its row in the Variable does not."""


def tell(found: Sequence[Notice], looked_at: Iterable[NoticeKind], settings: Settings, already: Set[Way] = frozenset()) -> dict[str, int]:
    """Tells what was not told yet, and ends what is over; of the kinds `looked_at` alone. What is `already` told is only written down.

    Returns counts. Raises WarehouseError.
    """
    from include.warehouse.base import open_warehouse

    ways, location = {name_of(row): row for row in settings.notifiers}, warehouse_location()
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize("cj.notices")
            over = close_over(session, found, datetime.now(UTC), [kind.value for kind in looked_at])
            pending = untold(session, found, [LOG, *ways])
    told = 0
    for one, way in pending:
        if (one.kind.value, one.about, way) in already or sent(one, ways.get(way)):
            told += 1
            # No warehouse is held while a server is waited for.
            with open_warehouse(location) as session, session.transaction():
                keep_told(session, one, way, datetime.now(UTC))
    return {"found": len(found), "told": told, "not_told": len(pending) - told, "over": over}


def name_of(row: Mapping[str, Any]) -> str:
    """What a notifier is called in cj.notices: its class, and a mark of what it is made with. One that is changed is another."""
    mark = blake2b(repr(sorted(row.items())).encode(), digest_size=4).hexdigest()
    return f"{str(row['notifier']).rpartition('.')[2]} {mark}"


def sent(one: Notice, row: Mapping[str, Any] | None) -> bool:
    """Whether the notifier of this row took it, or the log where there is none. Raises nothing."""
    if row is None:
        log.warning("%s. %s %s", one.subject, one.words, one.page)
        return True
    try:
        _in_time(lambda: _send(one, row))
    except Exception as error:  # noqa: BLE001 - whatever a notifier raises, it must not fail the night
        log.warning(
            "Notifier %s did not take %r and is tried again in an hour: %s: %s", row["notifier"], one.subject, type(error).__name__, error
        )
        return False
    return True


def _in_time(send: Callable[[], None]) -> None:
    """A server that never answers must not hold the question or the warehouse's slot: the thread is left behind, and ends with its task."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            send()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONGEST_SENDING.total_seconds())
    if thread.is_alive():
        raise TimeoutError(f"it did not end within {LONGEST_SENDING.total_seconds():g} seconds")
    if raised:
        raise raised[0]


def _send(one: Notice, row: Mapping[str, Any]) -> None:
    from airflow.sdk.module_loading import import_string

    dotted = str(row["notifier"])
    given = {name: value for name, value in row.items() if name != "notifier"}
    notifier = import_string(dotted)(**{**TEXTS.get(dotted, {}), **given})
    context = {"notice": asdict(one) | {"kind": one.kind.value}}
    # Called as a whole, it would keep an error to itself.
    notifier.render_template_fields(context)
    notifier.notify(context)
