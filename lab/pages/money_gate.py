"""docs/money-gate.md from the rules of the money gate."""

from __future__ import annotations

from include.restatements.approval.rules import FEWEST_NIGHTS, NIGHTS_LOOKED_AT, RULES
from include.restatements.settings import variable_of

_HEAD = f"""<!-- Written by `make docs` from include/restatements/approval/rules.py. Edit that. -->
# The money gate

When a night that is going live waits for a person.

A bug in the warehouse can cancel ten thousand good orders in one night. So each plan is compared with what is open at CJ and with the nights before it, account by account. It goes on
by itself unless one of the rules below holds; then `approve` of `cj_restatements` asks, and the question says why, in words and figures. So it does where `approve_above` is
set and more is at stake, or it is not known how much. Nothing is ever approved by default or by time, an answer counts for the plan that was shown and for no other, and
`cj.approvals` keeps who answered what. What is not let go is planned again by a later night.

*Open* is what CJ has neither locked nor closed. *Touched* are restatements and cancellations: a create takes nothing back. Money is the sales that commission is paid on, in the
advertiser's currency; an order of which it is not known how much it loses counts with all that CJ holds of it. What is usual is read from the last {NIGHTS_LOOKED_AT} nights that changed
anything and were let go, once there are {FEWEST_NIGHTS}; the other rules need no history. Accounts in Test Mode move nothing, and are not asked about. Runs of a backfill
that are planned within two days are judged by their sum, since the last of them that a person approved. A run that is cleared is judged with what its earlier plans sent and nobody approved.

`never_above` is a hard limit of the money at stake of one account in one night: above it nothing is planned, and nobody can approve past it.
Where it is above only with what a pre-lock review found, that is left for a later night, and the run says so.

What a pre-lock review found and what changed at the shop are one plan, one question and one answer. The question says how many of its orders the review found. Rejected, or not answered, all of it is
planned again together by the next night, so a review that nobody wants to let go would hold up what changed at the shop night after night. To send that by itself, set the Variable
`cj_send_found` to `false` and clear `prepare` with its downstream, or wait for the next night: what only the review found is left out of each plan and stays in `cj.replan_news`, and each
run says so. Nothing of it is sent until the Variable is `true` again, and what locks first stays as CJ holds it; the page *Pre-lock* and the notices go on showing it.

`cj.nights` has what each night came to and what it was compared with. `python -m lab.gate_over LOG.parquet --inject` plays the rules over a change log of your own: which
nights they would have stopped, and which of those in which half or a tenth of the last month's orders are cancelled.

## Over a real shop's year

A change log of 374 nights and 18,402 orders of a real online shop (wholesale among them), played with the settings as they are shipped:

| | all customers | three customers in ten, as an affiliate's share may be |
|---|---|---|
| nights stopped as they were | 3 | 2 |
| half of the last month's orders cancelled: stopped | 373 of 374 | 374 of 374 |
| a tenth of the last month's orders cancelled: stopped | 370 of 374 | 356 of 374 |

Each night that was stopped as it was is one giant return, by `much_taken_back`: 21, 10.9 and 24.3 per cent of all open money taken back by 5, 9 and 3 orders; of three customers in ten, 7.8 per cent by 4
orders and 51.2 per cent by one. Every injected night that was not stopped touches fewer than `gate_fewest` orders and takes back less than half of a usual day's sales: the first days of the
log, and the days after the 11th, when the month before has just locked and little is open. To stop those too, lower `cj_gate_fewest`; a small shop's nights then ask more often.

A very small shop's ordinary return may stop a night by the letter of the rules: where little is open, one order can be more than the share that may be taken back, and more than half of a
usual day's sales. That is meant: of so few orders nobody can tell one from the other. Where it asks too often, raise `cj_gate_taken_back` (or set it to `off` for the first weeks), and
set `cj_approve_above` to what one night may move unasked, which then holds in money and not in shares.

## The rules

| rule | Variable | a person is asked where | what to do | source |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + "".join(f"| `{r.id}` | `{variable_of(r.setting)}` | {r.condition} | {r.advice} | {r.source} |\n" for r in RULES)
