"""What a pre-lock review can say of an order, in words a table can be grouped by. The rules behind them are in include/restatements/prelock/rules.py."""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    """The warehouse's truth beside what CJ holds of one order, shortly before CJ locks it."""

    TOO_LATE = "too_late"
    """It differs, and CJ has locked or closed it: what CJ holds is what is paid, for good."""
    REFUSED = "refused"
    """The warehouse's row breaks a rule, so nothing can be said or sent."""
    NOT_IN_WAREHOUSE = "not_in_warehouse"
    """CJ holds it, and the warehouse has no such order: it is paid for on CJ's word alone."""
    NOWHERE = "nowhere"
    """Something of it was sent once, and neither CJ nor the warehouse has it now."""
    ON_ITS_WAY = "on_its_way"
    """A change of it was sent, and CJ has not shown it yet."""
    NOT_COMPARABLE = "not_comparable"
    """CJ converted its currency, and no other order tells at what rate: whether it differs is not known."""
    TO_SEND = "to_send"
    """It differs and can still be mended: the night sends it."""
    SEND_NOW = "send_now"
    """It differs, and CJ locks it before the next night can mend it: a run by hand still can."""
    HELD_BACK = "held_back"
    """It differs, and the plan holds it back: a person must do something first."""
    AGREES = "agrees"
    """CJ holds what the warehouse says."""


class Extension(StrEnum):
    """Whether an order is on the list of those whose lock is to be put off, and if not, why."""

    NOT_KNOWN = "not_known"
    """A record of it could not be kept, so whether it was corrected is not known."""
    CORRECTED = "corrected"
    """It was corrected once: CJ refuses it, record by record."""
    ON_ITS_WAY = "on_its_way"
    """A correction of it was sent, after which CJ refuses it."""
    EXTENDED = "extended"
    """It was put off before, and CJ does that once."""
    LOCKED = "locked"
    """CJ has locked or closed it ahead of its date."""
    OTHER_LOCKING = "other_locking"
    """It does not lock with its month: there is no period to put it off by."""
    DECLINED = "declined"
    """It is neither new nor accepted at CJ."""
    SEVERAL = "several"
    """CJ has more than one transaction under its order id, which then names none of them."""
    UNFIT_ID = "unfit_id"
    """Its order id holds a sign that would break the file's lines, or is somebody's e-mail address."""
    NOTHING_HELD = "nothing_held"
    """CJ holds no sale of it: nothing can be returned."""
    NOT_IN_WAREHOUSE = "not_in_warehouse"
    """The warehouse does not have it, so no return of it would ever be sent."""
    TO_CORRECT = "to_correct"
    """It differs today: tonight corrects it, and after that CJ refuses it."""
    CHOSEN = "chosen"
    """Its returns can still come after its lock, and nothing keeps it from being put off."""
