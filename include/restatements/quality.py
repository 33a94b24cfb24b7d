"""What a run's folder keeps of its validation: the result at once; Great Expectations' page of it once the orders are on their way, or the night was refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.domain.errors import RestatementsError
from include.restatements.gate.results import RESULT_FILE, RESULT_PAGE, results_of
from include.restatements.journal.journal import Journal, run_folder

log = logging.getLogger(__name__)


def keep_results(journal: Journal, run_id: str, scratch: Path) -> None:
    """Moves what the gate has left in `scratch` to the run's folder. A page that is there is of an earlier plan, and goes first."""
    for results in sorted(scratch.glob(f"{results_of(0)}*")):
        kept = f"{run_folder(run_id)}/{results.name}"
        if journal.files.exists(f"{kept}/{RESULT_PAGE}"):
            journal.files.remove(f"{kept}/{RESULT_PAGE}")
        for file in sorted(p for p in results.rglob("*") if p.is_file()):
            journal.files.put(f"{kept}/{file.relative_to(results)}", file)


@contextmanager
def pages_of_a_refusal(journal: Journal, run_id: str) -> Iterator[None]:
    """Where what is done here is refused somebody has to look, and nothing is sent after it: the pages are made at once."""
    try:
        yield
    except RestatementsError as refusal:
        if not refusal.transient:
            try:
                make_pages(journal, run_id)
            except Exception as error:  # noqa: BLE001 - the refusal is what is to be heard of
                log.warning("%s", not_made(run_id, error))
        raise


def not_made(run_id: str, error: Exception) -> str:
    """What is said where Great Expectations, or the storage, did not do it."""
    return f"The Data Docs of {run_id} were not made ({type(error).__name__}: {error}). What they show is in its {RESULT_FILE}."


def make_pages(journal: Journal, run_id: str) -> None:
    """Makes the page of each result that has none: whoever stopped before it only has to do it again. Raises StorageError."""
    for kept in _without_a_page(journal, run_folder(run_id)):
        # Loaded here: most of what publishes has nothing else to do with it.
        from include.restatements.gate.data_docs import result_page

        result = json.loads(journal.files.read(f"{kept}/{RESULT_FILE}") or b"null")
        journal.files.write(f"{kept}/{RESULT_PAGE}", result_page(result).encode())


def _without_a_page(journal: Journal, folder: str) -> Iterator[str]:
    reading = 0
    while journal.files.exists(f"{(kept := f'{folder}/{results_of(reading)}')}/{RESULT_FILE}"):
        if not journal.files.exists(f"{kept}/{RESULT_PAGE}"):
            yield kept
        reading += 1
