"""The money at stake in a plan, and the limit above which a person is asked."""

from __future__ import annotations

from decimal import Decimal

from include.domain.money import money, money_text


def must_be_asked(at_stake: str, unpriced: int, limit: Decimal | None) -> bool:
    """`at_stake` is money as text, `unpriced` the orders to be sent of which it is not known, `limit` the setting approve_above.

    What is not known is never nothing: with a limit set, one such order is enough.
    """
    return limit is not None and (money(at_stake) > limit or unpriced > 0)


def why_asked(at_stake: str, unpriced: int, limit: Decimal | None) -> list[str]:
    """The sentence of the limit, where a person must be asked because of it."""
    if limit is None or not must_be_asked(at_stake, unpriced, limit):
        return []
    return [f"Money at stake is {stake_told(at_stake, unpriced)}; the limit is {money_text(limit)} (`approve_above`)."]


def stake_told(at_stake: str, unpriced: int) -> str:
    """The money at stake for a person: what is known, and how much is not."""
    return at_stake if not unpriced else f"{at_stake}, and an amount that is not known of {unpriced} order{'' if unpriced == 1 else 's'}"
