"""A night in three verbs, for those who play a whole one: each task of `dags/cj_restatements.py` imports only its own."""

from include.restatements.journal.journal import journal_of
from include.restatements.prepare import Prepared, prepare
from include.restatements.publish import Published, forget_skipped, load_run, publish
from include.restatements.submit import submit

__all__ = ["Prepared", "Published", "forget_skipped", "journal_of", "load_run", "prepare", "publish", "submit"]
