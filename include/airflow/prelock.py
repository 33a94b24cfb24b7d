"""The bodies of the two tasks around CJ's lock: the daily review, and who has looked at it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from include.airflow.connections import settings_from_airflow
from include.airflow.defaults import next_night
from include.airflow.orders import orders_source
from include.airflow.runs import said, who
from include.airflow.tasks import figures
from include.airflow.warehouse import leaving_it_for_pages

log = logging.getLogger(__name__)


def review_before_lock(context: Mapping[str, Any]) -> dict[str, Any]:
    """Every open order beside the warehouse. Returns the digest, counts by finding, and where the files are."""
    from include.restatements.prelock.review import review
    from include.restatements.prelock.words import headline, swept_words

    settings = settings_from_airflow(said(context))
    with leaving_it_for_pages() as location:
        made = review(settings, location, str(context["run_id"]), orders=orders_source(), next_night=next_night)
    log.info("Review %s: %s %s", made.pack.digest, headline(made.pack), swept_words(made.pack))
    log.info("Found: %s. The pack is in %s.", figures(made.pack.findings), made.files)
    return {"digest": made.pack.digest, "findings": dict(made.pack.findings), "files": made.files}


def sign_off(context: Mapping[str, Any]) -> dict[str, str]:
    """Keeps who has looked at the newest review. Who it is says Airflow, which knows who triggered the run. Returns the digest and the name."""
    from include.restatements.journal.journal import journal_of
    from include.restatements.prelock.signing import sign

    params, by = said(context), who(context)
    journal = journal_of(settings_from_airflow(only=[]))
    with leaving_it_for_pages() as location:
        kept = sign(location, journal, str(params.get("digest") or ""), str(params.get("note") or ""), by, str(context["run_id"]))
    log.info("%s has looked at review %s.", by, kept.digest)
    return {"digest": kept.digest, "by": by}
