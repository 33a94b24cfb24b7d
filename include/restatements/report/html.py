"""The report as one HTML file: no scripts, no requests, light and dark as the reader's machine is. What comes from tables is escaped."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from types import SimpleNamespace

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from include.domain.states import Status
from include.restatements.report import pictures as report_pictures
from include.restatements.report import words as report_words
from include.restatements.report.advice import SKIPS, advice_for, quarantine_advice
from include.restatements.report.figures import STATUS_ORDER, Amount, Figures, counted, joined, utc

FIRST_BREAKS = 15
"""Breaks that stand open with their advice; the others fold away."""

_NIGHT_STATUSES = (Status.MISSING, Status.MISMATCHED, Status.LATE, Status.AWAITING, Status.MATCHED)


def html(figures: Figures) -> str:
    """The whole report as text of one file."""
    return _template().render(
        f=figures,
        headline=report_words.headline(figures),
        findings=_findings(figures),
        pictures=_pictures(figures),
        first=FIRST_BREAKS,
        night_statuses=_NIGHT_STATUSES,
    )


def _findings(figures: Figures) -> SimpleNamespace:
    return SimpleNamespace(
        by_status=report_words.status_finding(figures),
        by_lock=report_words.lock_finding(figures),
        lag=report_words.lag_finding(figures),
        breaks=report_words.breaks_finding(figures),
        quarantined=report_words.quarantined_finding(figures),
        set_aside=report_words.set_aside_finding(figures),
        unchecked=report_words.unchecked_finding(figures),
        signs=report_words.signs_finding(figures),
        nights=report_words.nights_finding(figures),
        older=report_words.older_finding(figures),
    )


def _pictures(figures: Figures) -> SimpleNamespace:
    """SVG escapes its own text, so it may stand in the page as it is."""

    def safe(svg: str | None) -> Markup | None:
        return None if svg is None else Markup(svg)

    by_status, by_lock = safe(report_pictures.by_status(figures)), safe(report_pictures.by_lock(figures))
    lag, nights = safe(report_pictures.posting_lag(figures.lag)), safe(report_pictures.nights(figures))
    return SimpleNamespace(by_status=by_status, by_lock=by_lock, lag=lag, nights=nights, any=bool(by_status or by_lock or lag))


def _money(currency: str, amount: Decimal) -> str:
    return Amount(currency, amount).exact()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("include.restatements.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        advice=advice_for,
        quarantine_advice=quarantine_advice,
        skips=SKIPS,
        joined=joined,
        counted=counted,
        money=_money,
        utc=utc,
        words=report_words.plain,
        is_locked=report_words.is_locked,
        is_open_ended=report_words.is_open_ended,
        lock_day=report_words.lock_day,
        known_statuses=frozenset(str(status) for status in STATUS_ORDER),
    )
    return environment.get_template("report.html.j2")
