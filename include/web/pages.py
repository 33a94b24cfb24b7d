"""Which pages there are, in the order of the navigation. A later one is its module and its line here."""

from __future__ import annotations

from include.web import breaks, cases, held, orders, overview, partner_lists, partners, prelock, runs
from include.web.page import Page

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    breaks.PAGE,
    orders.FINDING,
    orders.PAGE,
    runs.PAGE,
    runs.ONE,
    held.PAGE,
    cases.PAGE,
    cases.ONE,
    prelock.PAGE,
    partners.PAGE,
    partners.ONE,
    partner_lists.DIFFERENCES,
    partner_lists.TO_SEND,
    partner_lists.UNIT,
)
