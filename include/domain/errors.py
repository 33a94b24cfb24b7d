"""Every error this package raises on purpose.

    RestatementsError                     a sentence: what, where, what to do
    ├── SettingError                       a connection, variable or parameter is wrong or missing; fix it, then retry
    ├── WarehouseError                     the warehouse refused
    │   ├── WarehouseUnavailable           transient: it cannot be reached or is busy
    │   └── WarehouseShapeError            a table or column is missing or of the wrong type; fix it, then retry
    ├── QuarantineRatioExceeded            too many rows failed validation: nothing was sent
    ├── AboveTheLimit                      more money is at stake than anybody may let go: nothing was planned, nothing was sent
    ├── CanaryFirst                        what goes live before the rest is not proven yet: nothing of the rest was sent
    ├── PlanReplaced                       what was approved is not what is planned now: nothing was sent
    ├── JournalConflict                    one key, two payloads: stop and look
    ├── StorageError                       the run's files cannot be read or written
    │   └── UnreadableDocument             a file is there and makes no sense: damaged, changed by hand, or a newer package's
    └── include.cj.errors.CJError          everything CJ or the way to it said (tree drawn there)

`transient` answers the one question a scheduler has: does trying again, unchanged, help?
"""

from __future__ import annotations


class RestatementsError(Exception):
    """Base. The message is one or more sentences a person can act on; it never holds a token or personal data."""

    transient = False


class SettingError(RestatementsError):
    """A setting is wrong or missing. Nothing was sent."""


class WarehouseError(RestatementsError):
    """The warehouse refused a statement."""


class WarehouseTookTooLong(WarehouseError):
    """The warehouse ended a statement because it took longer than somebody allowed it."""


class WarehouseForbids(WarehouseError):
    """The login lacks a right on what is there."""


class WarehouseUnavailable(WarehouseError):
    """The warehouse cannot be reached or is held by another process."""

    transient = True


class WarehouseShapeError(WarehouseError):
    """A table or column is missing, or has another type than the contract says."""


class QuarantineRatioExceeded(RestatementsError):
    """More rows failed validation than `max_quarantine_ratio` allows. Nothing was sent."""


class AboveTheLimit(RestatementsError):
    """More money is at stake than `never_above`, past which nobody can approve. Nothing was planned and nothing was sent."""

    def __init__(self, message: str, enterprise_id: str = "", at_stake: str = "") -> None:
        super().__init__(message)
        self.enterprise_id = enterprise_id
        self.at_stake = at_stake
        """Money, as text, in the advertiser's currency."""


class CanaryFirst(RestatementsError):
    """An account's first orders go live before its others, and CJ does not show yet that they arrived as sent. Nothing of the others was sent."""


class PlanReplaced(RestatementsError):
    """A run was planned anew, and what was approved is another plan. Nothing was sent for it."""


class JournalConflict(RestatementsError):
    """The same chunk id was found with another payload hash. Nothing was sent for it."""


class StorageError(RestatementsError):
    """A run file could not be read or written."""

    transient = True


class UnreadableDocument(StorageError):
    """A run file is there and makes no sense: damaged, changed by hand, or written by a newer package. Nothing is sent until that is put right."""

    transient = False
