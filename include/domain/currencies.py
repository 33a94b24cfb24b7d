"""How many decimals a currency has.

Source: ISO 4217, list one (SIX Financial Information, the standard's maintenance agency), column "minor unit". Babel's data, which is at hand, is not
that: it says what is usually printed (no decimals for the dinar, which has two), and rounding by it would change what a shop sold for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_USUAL = 2
_OTHERS: Mapping[int, str] = MappingProxyType(
    {0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND"}
)
_MINOR_UNITS = {code: decimals for decimals, codes in _OTHERS.items() for code in codes.split()}


def minor_units(currency: str | None) -> int:
    """The decimals of the currency: 2 for the dollar, 0 for the yen, 3 for the Kuwaiti dinar; 2 where none is named."""
    return _MINOR_UNITS.get(currency or "", _USUAL)
