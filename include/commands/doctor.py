"""`make doctor`: what a first night would meet, found out before it. Sends nothing live, and leaves nothing behind.

    make doctor                                      with the environment that `make -s env` prints
    python -m include.commands.doctor                in the environment of an Airflow of your own
    python -m include.commands.doctor --json         for machines

Exit code 0: nothing to mend. 1: something is. A line to look at does not count.
"""

from __future__ import annotations

import sys

from include.restatements.doctor.interpreter import OLDEST, TAKE_ANOTHER, unfit


def main(arguments: list[str]) -> int:
    if sys.version_info[:2] < OLDEST:
        # Before anything is imported that such a Python cannot read.
        print(f"{unfit(sys.version_info[:2])} {TAKE_ANOTHER}", file=sys.stderr)
        return 1
    from include.commands.doctor_shown import examined_and_shown

    return examined_and_shown(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
