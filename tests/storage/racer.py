"""A process that creates files as fast as it can, beside another one. Prints those it won.

python racer.py URL CONN_ID NAME COUNT      starts at the first line on its standard input
"""

from __future__ import annotations

import os
import sys

from include.storage.opening import folder


def main(url: str, conn_id: str, name: str, count: int) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Airflow logs to standard output
    place = folder(url, conn_id or None)
    print("ready", file=answers)
    sys.stdin.readline()
    won = [str(n) for n in range(count) if place.create(f"chunks/{n}.intent.json", name.encode())]
    print(" ".join(won), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
