"""Prints the reconciliation after `include.restatements.rebuild` filled the tables anew from the journal.

eval "$(make -s env)"                                   the connections and Variables of the DAGs
.venv/bin/python -m include.commands.rebuild
"""

from __future__ import annotations

import argparse
import logging
import sys

from include.airflow.connections import settings_from_airflow
from include.airflow.warehouse import leaving_it_for_pages
from include.domain.errors import RestatementsError
from include.restatements.rebuild import rebuild


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m include.commands.rebuild", description="Empty the tables of schema cj and fill them from the journal and CJ."
    )
    parser.parse_args(arguments)
    # Airflow's logging prints to the screen, where the summary is.
    logging.getLogger("include").setLevel(logging.WARNING)
    try:
        with leaving_it_for_pages() as location:
            print(rebuild(settings_from_airflow(), location).terminal)
    except RestatementsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
