"""CJ spells the same thing one way where it is written and another where it is read. One table for each.

Source: the tracking API's input enums and Commission Detail's fields, from CJ's published schemas.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class CorrectionReason(StrEnum):
    """Why an order was corrected, as the tracking API takes it and as the warehouse holds it."""

    BAD_DEBT = "BadDebt"
    BANKRUPTCY = "Bankruptcy"
    BOOKING_CANCELED = "BookingCanceled"
    CANNOT_SHIP_SOLD_OUT = "CannotShipSoldOut"
    COMPLIANCE = "Compliance"
    DUPLICATE_ORDER = "DuplicateOrder"
    INVALID_CREDIT_CARD = "InvalidCreditCard"
    OTHER = "Other"
    RETURNED_MERCHANDISE = "ReturnedMerchandise"
    UNQUALIFIED_LEAD = "UnqualifiedLead"


class PostedReason(StrEnum):
    """The same, as Commission Detail spells it. It has one more: nobody can write `QUALIFIED_LEAD`."""

    BAD_DEBT = "BAD_DEBT"
    BANKRUPTCY = "BANKRUPTCY"
    BOOKING_CANCELED = "BOOKING_CANCELED"
    CANT_SHIP_OR_SOLD_OUT = "CANT_SHIP_OR_SOLD_OUT"
    COMPLIANCE = "COMPLIANCE"
    DUPLICATED_ORDER = "DUPLICATED_ORDER"
    INVALID_CREDIT_CARD = "INVALID_CREDIT_CARD"
    OTHER_REASON = "OTHER_REASON"
    RETURNED_MERCHANDISE = "RETURNED_MERCHANDISE"
    UNQUALIFIED_LEAD = "UNQUALIFIED_LEAD"
    QUALIFIED_LEAD = "QUALIFIED_LEAD"


class OrderStatus(StrEnum):
    """The status an open-ended order is sent with: `Pending` or `Accepted` on a restate, `Declined` on a cancel."""

    PENDING = "Pending"
    ACCEPTED = "Accepted"
    DECLINED = "Declined"


class ValidationStatus(StrEnum):
    """The same, as Commission Detail spells it. Orders that need no validation are `AUTOMATED`."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    AUTOMATED = "AUTOMATED"


POSTED_REASON = MappingProxyType(
    {
        CorrectionReason.BAD_DEBT: PostedReason.BAD_DEBT,
        CorrectionReason.BANKRUPTCY: PostedReason.BANKRUPTCY,
        CorrectionReason.BOOKING_CANCELED: PostedReason.BOOKING_CANCELED,
        CorrectionReason.CANNOT_SHIP_SOLD_OUT: PostedReason.CANT_SHIP_OR_SOLD_OUT,
        CorrectionReason.COMPLIANCE: PostedReason.COMPLIANCE,
        CorrectionReason.DUPLICATE_ORDER: PostedReason.DUPLICATED_ORDER,
        CorrectionReason.INVALID_CREDIT_CARD: PostedReason.INVALID_CREDIT_CARD,
        CorrectionReason.OTHER: PostedReason.OTHER_REASON,
        CorrectionReason.RETURNED_MERCHANDISE: PostedReason.RETURNED_MERCHANDISE,
        CorrectionReason.UNQUALIFIED_LEAD: PostedReason.UNQUALIFIED_LEAD,
    }
)
"""Written → read. Used by the verdicts to compare what was sent with what posted. Nothing is written for `QUALIFIED_LEAD`."""

POSTED_STATUS = MappingProxyType(
    {
        OrderStatus.PENDING: ValidationStatus.PENDING,
        OrderStatus.ACCEPTED: ValidationStatus.ACCEPTED,
        OrderStatus.DECLINED: ValidationStatus.DECLINED,
    }
)
"""Written → read. Nothing is written for `AUTOMATED`."""
