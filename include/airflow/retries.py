"""Which failures Airflow tries again: the ones whose error says that trying again, unchanged, helps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from include.domain.errors import RestatementsError

if TYPE_CHECKING:
    from airflow.sdk import Context

LONGEST_WAIT = timedelta(hours=1)
"""A server's Retry-After beyond this is cut: the night has an end."""


class LeftUnsent(RestatementsError):
    """Orders that were planned were not sent. Trying again, unchanged, does not help; the message says what does."""


class TryAgain(RestatementsError):
    """Orders were left for another attempt: the way to CJ was shut, not the door."""

    transient = True


class ByKind(RetryPolicy):
    """Retries what is transient, honours Retry-After where the error carries `retry_after` (seconds or timedelta), fails the rest at once.

    Errors that are not ours (a bug, a killed process) keep Airflow's ordinary retries: the journal makes a second attempt safe.
    """

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None) -> RetryDecision:
        if not isinstance(exception, RestatementsError):
            return RetryDecision.default()
        if not exception.transient:
            return RetryDecision.fail("trying again, unchanged, would not help")
        return RetryDecision.retry(retry_after(exception), "this may pass by itself")

    def serialize(self) -> dict[str, Any]:
        return {"__type": "ByKind"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ByKind:
        return cls()


def retry_after(error: RestatementsError) -> timedelta | None:
    """How long the other side asked us to wait, at most LONGEST_WAIT; None when it did not say."""
    asked = getattr(error, "retry_after", None)
    if asked is None:
        return None
    wait = asked if isinstance(asked, timedelta) else timedelta(seconds=asked)
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
