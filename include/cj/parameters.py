"""`custom_parameters` and `vertical_parameters`: JSON objects in the warehouse, typed input at CJ.

Numbers keep the digits they are written with, `true` and `false` stay words, `null` is left out, and an empty object is the same as none.
Names and the enum: CJ's published tracking schema (`CustomParameterInput`, `VerticalParametersInput`).
"""

from __future__ import annotations

import json
from functools import lru_cache

ADVERTISER_VERTICALS = frozenset({"Retail", "Finance", "Travel", "NetworkServices"})
"""CJ: the only vertical parameter that is an enumeration."""

_NAMES = """
    ancillarySpend annualFee applicationStatus apr aprTransfer aprTransferTime bookingDate bookingStatus bookingValuePostTax
    bookingValuePreTax brand brandId businessUnit campaignId campaignName cardCategory carOptions cashAdvanceFee category city class
    confirmationNumber contractLength contractType countryCode couponDiscount couponType creditLine creditQuality creditReport cruiseType
    customerCountry customerSegment customerStatus customerType delivery description destinationCity destinationCountry destinationId
    destinationState domestic dropoffIata dropoffId duration endDateTime flightFareType flightOptions flightType flyerMiles fundedAmount
    fundedCurrency genre guests iata introductoryApr introductoryAprTime itemId itemName itemType itineraryId lifestage location
    loyaltyEarned loyaltyFirstTimeSignup loyaltyLevel loyaltyRedeemed loyaltyStatus margin marketingChannel minimumBalance minimumDeposit
    minimumStayDuration noCancellation orderSubtotal originCity originCountry originState paidAtBookingPostTax paidAtBookingPreTax
    paymentMethod paymentModel pickupIata pickupId platformId pointOfSale port preorder prepaid prequalify promotion promotionAmount
    promotionConditionThreshold promotionConditionType promotionEnds promotionStarts promotionType quantity rating rooms roomType
    serviceType shipName shopifyOrderId startDateTime state subscriptionFee subscriptionLength taxAmount taxType transferFee travelType
    tripType upsell
"""
VERTICAL_PARAMETERS = frozenset(_NAMES.split()) | {"advertiserVertical"}
"""The fields of CJ's `VerticalParameters` input. A name outside this list fails the whole request as a schema error."""


class NotParameters(ValueError):
    """The text is no JSON object that CJ's parameters can carry. The message says which part, and never a value."""


@lru_cache(maxsize=4096)
def custom_parameters(text: str) -> tuple[tuple[str, str], ...]:
    """Name and value, in the order given. Raises NotParameters."""
    return tuple(_object(text, "custom_parameters").items())


@lru_cache(maxsize=4096)
def vertical_parameters(text: str) -> tuple[tuple[str, str], ...]:
    """Name and value, in the order given; only names that CJ's schema has. Raises NotParameters."""
    values = _object(text, "vertical_parameters")
    unknown = sorted(set(values) - VERTICAL_PARAMETERS)
    if unknown:
        raise NotParameters(f"vertical_parameters has names that CJ does not know: {', '.join(unknown[:5])}")
    if values.get("advertiserVertical", "Retail") not in ADVERTISER_VERTICALS:
        raise NotParameters(f"vertical_parameters: advertiserVertical must be one of {', '.join(sorted(ADVERTISER_VERTICALS))}")
    return tuple(values.items())


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """One text for all spellings of the same parameters, None for none at all. Text that cannot be parsed stands for itself."""
    try:
        values = _object(text, "parameters")
    except NotParameters:
        return "!" + text
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if values else None


def _object(text: str, column: str) -> dict[str, str]:
    try:
        values = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotParameters(f"{column} is not JSON") from None
    if not isinstance(values, dict):
        raise NotParameters(f"{column} is not a JSON object")
    return {name: _text(value, name, column) for name, value in values.items() if value is not None}


def _text(value: object, name: str, column: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    raise NotParameters(f"{column}: {name!r} holds a list or an object; CJ takes plain values only")


def _no_constant(name: str) -> str:
    raise ValueError(name)
