"""docs/prelock.md from what a review can say of an order, and from which orders are put off."""

from __future__ import annotations

from collections.abc import Sequence

from include.restatements.prelock.files import CLICKS, COLUMNS
from include.restatements.prelock.rules import EXTENSIONS, FINDINGS, NOTHING_HELD_BACK, Rule
from include.restatements.prelock.sweep import TOO_LATE_FOR

_HEAD = f"""<!-- Written by `make docs` from include/restatements/prelock/rules.py, include/restatements/prelock/files.py and lab/pages/prelock.py. Edit those. -->
# Before CJ locks

What CJ holds on the day it locks an order is paid, for good. `cj_prelock_review` looks every day at **every** order that is open at CJ, whether this package ever sent it or not, and lays it
beside the warehouse's truth. It sends nothing.

- What differs and can be mended goes to `cj.replan_news`. The next run of `cj_restatements` decides it anew, by the state there is then, and sends it.
  A run in Test Mode sends nothing, so it takes nothing out; nor does `rebuild`. What would lift a night above `cj_never_above` waits, and the run says so.
  Where a person is asked about a night, what was found is part of the plan, and the question says how much of it. A rejection rejects all of the plan, and the next night plans it again together; `cj_send_found`
  set to `false` lets the nights go without what was found, which waits ([money-gate.md](money-gate.md)).
- What somebody has to look at is on the page *Pre-lock*, in `pack.pdf` and in `pack.csv` (under `<cj_storage>/cj_restatements/prelock/<run>/`): what locks when, open breaks by money, what does
  not agree, what cannot be mended any more and what it costs by month and reason (of the last {TOO_LATE_FOR.days} days), and what can be put off. A break that somebody has taken note of is in it like any other.
- What CJ locks before the next night (02:00 UTC, and CJ's hour after it) can mend it is said first, with the hour of the lock: `send_now`. It is planned like the rest, so a run of
  `cj_restatements` by hand, an hour before the lock, sends it.
- An account that cannot be read is left out and named; its orders are shown as the last review that read it found them. The next that reads it asks after all that CJ has locked since then.
- Near its lock is what locks within `cj_days_before_lock`; a run may say otherwise (`days_before_lock`).

The warehouse is asked by order ids, a thousand at a time: an index on `order_id` keeps a review of a million open orders quick. Where the first of them was placed a month ago, nothing older than
two months is asked for.

## What is found

The first that holds is said. `prelock_orders.rule` has the plan's rule behind it ([plan-rules.md](plan-rules.md)).

| finding | where | what it means | what to do | source |
|---|---|---|---|---|
"""

_SIGN = """
## Signing off

*Sign off* on the page asks Airflow, as you, to run `cj_prelock_sign_off` (unpause it once); Airflow records who. It names the digest that was looked at, a few letters made from every order that
is near its lock, cannot be mended, has a break or is on the list below: what is found, what it costs, when it locks. Where any of that is another later, the digest is another and the sign-off has lapsed;
where nothing has changed it holds, whenever the review was made again. It is in `cj.prelock_reviews` and in the journal, so that a rebuild brings it back.

## What can be put off

An order whose return comes after its lock is paid for. CJ puts off the lock of a month's orders once, by one period, where it is told in time. The list has the orders near their lock whose
return can still come after it: those placed less than `cj_return_days` before it. Nothing is listed until somebody has set that Variable. The choice is made before an order is first corrected, since CJ
refuses it afterwards.

The first that holds is said of each of them; those with `chosen` are in the file.

| word | where | what it means | what to do | source |
|---|---|---|---|---|
"""

_FILE = f"""
The file is in CJ's extension format, one for each account whose connection has an `extension_subscription_id`:

```text
&CID=5500001
&SUBID=99001
,1000123
,1000124
```

Each line has two positions, CJ's transaction id and the order id. CJ does not say which of its ids the first one is, so it stays empty. To upload it: **{"** › **".join(CLICKS)}**. CJ has to have received
*and processed* it by the 10th for the month before, and answers by e-mail, record by record. An order that is corrected meanwhile is refused there.
{NOTHING_HELD_BACK}

## The CSV

`pack.csv` has every order that is listed, the page's button the list that is shown, with the columns {", ".join(f"`{name}`" for name in COLUMNS)}.
`at_stake`, `held_amount`, `held_cost` and `verdict_risk` are in the advertiser's currency, `wanted_amount` in the order's (`currency`, empty where it is the advertiser's). An empty `at_stake` is not known, and never nothing.
"""


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + _table(FINDINGS) + _SIGN + _table(EXTENSIONS) + _FILE


def _table(rules: Sequence[Rule]) -> str:
    return "".join(
        f"| `{rule.id.value}` | `{rule.condition.replace('|', chr(92) + '|')}` | {rule.words} | {rule.advice or 'nothing'} | {rule.source} |\n"
        for rule in rules
    )
