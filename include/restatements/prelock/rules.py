"""What a review says of an order, and which orders go on the list to be put off. Told here and nowhere else.

The facts (`FACTS`) come from include/sql/prelock_found.sql; of `FINDINGS` and of `EXTENSIONS` the first whose condition holds decides. From these tables come
the decision itself, the page, the files, docs/prelock.md and the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from include.domain.prelock import Extension, Finding
from include.domain.states import Skip
from include.restatements.rules.plan import RULES

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "given": "the warehouse gives a state of it that passes the gate",
        "held": "CJ has a record of it",
        "refused": "the warehouse gives a state of it that the gate holds back",
        "decision": "the id of the plan's rule that decides it (docs/plan-rules.md)",
        "converted": "CJ converts its currency",
        "same_basket": "CJ holds the warehouse's SKUs, quantities and coupon",
        "clearly_another": "what commission is paid on differs by more than cj_currency_band of what CJ holds, at a rate that other orders show",
        "in_doubt": "a record of it could not be kept",
        "corrected": "CJ has a record of it that is no original, or takes something back",
        "live": "its account's mode is live: what is sent changes what CJ holds",
        "locks_first": "it locks before the next night's calls can be processed: its start, and CJ's hour after it",
        "correction_sent": "a restatement or cancellation of it was sent live, and is not known to have failed",
        "lock_stage": "0 new, 1 extended, 2 locked, 3 closed at CJ",
        "fixed_date": "CJ locks it with its month (FIXED_DATE)",
        "declined": "CJ's validation status of it is DECLINED",
        "originals": "how many original records CJ has under its order id, whichever action tracker",
        "id_fits": "its order id holds no comma, double quote, blank or line break and begins with no ampersand, and is nobody's e-mail address",
        "held_sales": "what commission is paid on, as CJ holds it",
        "finding": "what the review says of it",
    }
)
"""What is asked of every order, as columns of include/sql/prelock_found.sql."""


@dataclass(frozen=True)
class Rule:
    """One rule: `id` is said where `condition` holds. `words` say what it means, `advice` what a person does, `source` where it comes from."""

    id: Finding | Extension
    condition: str
    words: str
    advice: str
    source: str
    planned: bool = False
    """The order is planned again for the night."""
    listed: bool = True
    """It is shown; of the others only how many they are."""


def _decided(**wanted: bool) -> str:
    """The condition that one of the plan's rules decides, out of those that send, hold or skip so."""
    ids = [
        rule.id
        for rule in RULES
        if (wanted.get("sends") and rule.operation)
        or (wanted.get("holds") and rule.hold)
        or (wanted.get("waits") and (rule.skip is Skip.WAITING or rule.verdict_follows))
    ]
    return f"decision IN ({', '.join(repr(one) for one in ids)})"


_OURS = "this package: what the warehouse says is what CJ should hold"
_LOCK = "CJ: once locked it can never be corrected; an order missed before the lock is paid for good"
_FILE = "CJ's extension file: only transactions in NEW or ACCEPTED can be extended, LOCKED and CORRECTED ones are refused, record by record"

NOTHING_HELD_BACK = (
    "Hold back no correction for the file: what is corrected is right at CJ, and what comes back before the lock is sent as usual."
)
"""The one rule where a correction and the list to put off meet. Used by docs/prelock.md too."""

FINDINGS: tuple[Rule, ...] = (
    Rule(
        Finding.REFUSED, "refused", "The warehouse's row breaks a rule of the gate, so what CJ should hold is not known.",
        "Correct the row in the warehouse; the night after it is sent.", _OURS,
    ),
    Rule(
        Finding.NOWHERE, "NOT given AND NOT held", "What was sent of it never arrived, and the warehouse does not have it any more: neither side has a record.",
        "Nothing is paid. Where the sale was real, find out why the query does not give it.", _OURS,
    ),
    Rule(
        Finding.NOT_IN_WAREHOUSE, "NOT given", "CJ holds it, and the warehouse has no such order under this action tracker.",
        "Find out whether the sale is yours. Where it is, give it to the query; where it is not, cancel it at CJ or open a case before it locks.", _OURS,
    ),
    Rule(
        Finding.NOT_COMPARABLE, "converted AND decision IN ('restate', 'closed', 'locked') AND same_basket AND NOT clearly_another",
        "CJ converted its currency: what it holds is as near the warehouse's amount as a rate that nobody publishes can be, or no other order tells the rate. Whether "
        "it differs is not known.",
        "Compare it by hand where it is dear. It is not sent.", "CJ: amounts in another currency are converted at a rate that is not published",
    ),
    Rule(
        Finding.TOO_LATE, "decision IN ('closed', 'locked')", "It differs, and CJ has locked or closed it: what CJ holds is what is paid.",
        "Settle it with the publisher, or ask CJ's support for a manual correction.", _LOCK,
    ),
    Rule(
        Finding.ON_ITS_WAY, _decided(waits=True), "A change of it was sent, and CJ has not shown it yet.", "",
        "CJ: processing can take up to an hour or longer", listed=False,
    ),
    Rule(
        Finding.SEND_NOW, f"{_decided(sends=True)} AND locks_first AND live", "CJ holds another state than the warehouse, and locks it before the next night can mend it.",
        "Run cj_restatements now, by hand: CJ needs its hour before the lock.", _LOCK, planned=True,
    ),
    Rule(
        Finding.TO_SEND, _decided(sends=True), "CJ holds another state than the warehouse, and it can still be mended.",
        "The next run of cj_restatements decides it anew and, where the account is live, sends it. See that it does before the lock.", _OURS, planned=True,
    ),
    Rule(
        Finding.HELD_BACK, _decided(holds=True), "CJ holds another state, and the plan holds the order back.",
        "The rule that holds it says what to do (docs/plan-rules.md).", _OURS,
    ),
    Rule(Finding.AGREES, "TRUE", "CJ holds what the warehouse says.", "", _OURS, listed=False),
)  # fmt: skip
"""In the order they are asked. The last one holds for every order."""

EXTENSIONS: tuple[Rule, ...] = (
    Rule(
        Extension.NOT_KNOWN, "in_doubt", "A record of it could not be kept, so whether it was corrected is not known.",
        "Look at the order at CJ.", _FILE,
    ),
    Rule(
        Extension.CORRECTED, "corrected", "It was corrected before, and CJ refuses an order that was.",
        "A return that comes before the lock is sent as usual; after it, settle it with the publisher.", _FILE,
    ),
    Rule(
        Extension.ON_ITS_WAY, "correction_sent", "A correction of it was sent, and CJ refuses an order that was corrected.",
        "Nothing: where the correction never posts, the next review chooses again.", _FILE,
    ),
    Rule(
        Extension.LOCKED, "lock_stage >= 2", "CJ has locked or closed it ahead of its date.",
        "Settle what comes back with the publisher.", _FILE,
    ),
    Rule(
        Extension.EXTENDED, "lock_stage = 1", "It was put off before.", "Nothing: CJ puts off once, by one period.",
        "CJ's extension file: one additional period, once",
    ),
    Rule(
        Extension.OTHER_LOCKING, "NOT fixed_date", "It does not lock with its month, so there is no period to put it off by.",
        "Nothing; an open-ended order stays pending until you accept or decline it.", "CJ: FIXED_DATE is the monthly cycle, which may be extended once by one cycle",
    ),
    Rule(
        Extension.DECLINED, "declined", "CJ has it as declined.", "Nothing: nothing is paid on it.", _FILE,
    ),
    Rule(
        Extension.SEVERAL, "originals <> 1", "CJ has more than one transaction under its order id, which then names none of them.",
        "Put it off in CJ's account manager by its transaction id.", "CJ's extension file: an order id alone must be unique per transaction",
    ),
    Rule(
        Extension.UNFIT_ID, "NOT id_fits", "Its order id holds a sign that would break the file's lines, or is somebody's e-mail address.",
        "Put it off in CJ's account manager by its transaction id.", "CJ: an order id holds letters, digits, - and _",
    ),
    Rule(
        Extension.NOTHING_HELD, "held_sales <= 0", "CJ holds no sale of it, so nothing can come back.", "Nothing.", _OURS,
    ),
    Rule(
        Extension.NOT_IN_WAREHOUSE, "finding = 'not_in_warehouse'", "The warehouse does not have it, so no return of it would ever be sent.",
        "Find out whether the sale is yours.", _OURS,
    ),
    Rule(
        Extension.TO_CORRECT, "live AND finding IN ('send_now', 'to_send')", "It differs today: tonight corrects it, and after that CJ refuses it.",
        f"{NOTHING_HELD_BACK} What comes back after its lock, settle with the publisher.",
        _FILE,
    ),
    Rule(
        Extension.CHOSEN, "TRUE", "Its returns can still come after its lock, and nothing keeps it from being put off.",
        "Upload the file.", _FILE,
    ),
)  # fmt: skip
"""Asked of orders whose returns can still come after their lock. The last one holds for every one."""

FINDING: Mapping[str, Rule] = MappingProxyType({rule.id.value: rule for rule in FINDINGS})
EXTENSION: Mapping[str, Rule] = MappingProxyType({rule.id.value: rule for rule in EXTENSIONS})
LISTED = tuple(rule.id.value for rule in FINDINGS if rule.listed)

WRONG = frozenset({Finding.SEND_NOW, Finding.TO_SEND, Finding.HELD_BACK, Finding.REFUSED, Finding.NOT_IN_WAREHOUSE, Finding.NOT_COMPARABLE})
"""Findings that somebody can still do something about before the lock. Used by the pack."""
