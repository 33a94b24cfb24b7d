"""One number that says which SKUs, in which quantities, an order holds.

The mark of an order is the sum over its items of quantity x a 60-bit hash of the SKU. CJ reports a restatement as records that add up
(a reversal with negative quantities and the new state), and marks add up with them: the mark of what we sent equals the sum of the
marks of CJ's records exactly when SKUs and quantities agree. Prices and discounts are compared as money, not here.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.shapes import MARK

Ints = npt.NDArray[np.int64]

HASH_BITS = 60
_LIMB_BITS = 20
_LIMB = (1 << _LIMB_BITS) - 1
#: quantity x items of one order up to which three 20-bit limbs cannot overflow 64 bits.
_EXACT_UNTIL = 1 << 42


@lru_cache(maxsize=1 << 17)
def sku_hash(sku: str) -> int:
    """The SKU as a number below 2^60: the same on every machine and for ever, because it is kept in the warehouse."""
    return int.from_bytes(blake2b(sku.encode(), digest_size=8).digest(), "big") >> (64 - HASH_BITS)


def items_marks(items: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One mark per order, as `shapes.MARK`: null for a null list, 0 for an empty one.

    `items` is a list of structs with at least `sku` (text) and `quantity` (integer, may be negative). A null SKU counts as empty text
    and a null quantity as 0.
    """
    lists = items.combine_chunks() if isinstance(items, pa.ChunkedArray) else items
    if not len(lists):
        return pa.array([], MARK)
    flat = lists.flatten()
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    quantities = pc.fill_null(_field(flat, "quantity").cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    hashes = _hashes(_field(flat, "sku"))
    sums = _sums if _fits(quantities, lengths) else _sums_of_any_size
    marks = sums(quantities, hashes, lengths)
    return marks if lists.null_count == 0 else pc.if_else(lists.is_valid(), marks, pa.scalar(None, MARK))


def _field(items: pa.Array, name: str) -> pa.Array:
    return pc.struct_field(items, name)


def _hashes(skus: pa.Array) -> Ints:
    encoded = pc.fill_null(skus, "").dictionary_encode()
    distinct = np.array([sku_hash(sku) for sku in encoded.dictionary.to_pylist()], dtype=np.int64)
    hashes: Ints = distinct[encoded.indices.to_numpy(zero_copy_only=False)] if len(distinct) else np.zeros(0, np.int64)
    return hashes


def _fits(quantities: Ints, lengths: Ints) -> bool:
    if not len(quantities):
        return True
    largest = max(int(np.max(quantities)), -int(np.min(quantities)))
    return largest * int(np.max(lengths)) < _EXACT_UNTIL


def _sums(quantities: Ints, hashes: Ints, lengths: Ints) -> pa.Array:
    """128-bit sums from three 64-bit ones: the hash is cut into 20-bit limbs, the carries move up at the end."""
    ends = np.cumsum(lengths)
    starts = ends - lengths
    low, middle, high = (_segment_sums(quantities * ((hashes >> shift) & _LIMB), starts, ends) for shift in (0, 20, 40))
    middle = middle + (low >> _LIMB_BITS)
    high = high + (middle >> _LIMB_BITS)
    words = np.empty((len(lengths), 2), dtype="<i8")
    words[:, 0] = (low & _LIMB) | ((middle & _LIMB) << _LIMB_BITS) | (high << (2 * _LIMB_BITS))
    words[:, 1] = high >> (64 - 2 * _LIMB_BITS)
    return pa.Array.from_buffers(MARK, len(lengths), [None, pa.py_buffer(words)])


def _segment_sums(values: Ints, starts: Ints, ends: Ints) -> Ints:
    # The running total may wrap around; the difference of two of its points is exact all the same.
    running = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=running[1:])
    sums: Ints = running[ends] - running[starts]
    return sums


def _sums_of_any_size(quantities: Ints, hashes: Ints, lengths: Ints) -> pa.Array:
    products = [quantity * sku for quantity, sku in zip(quantities.tolist(), hashes.tolist(), strict=True)]
    ends = np.cumsum(lengths).tolist()
    return pa.array([sum(products[end - length : end]) for end, length in zip(ends, lengths.tolist(), strict=True)], MARK)
