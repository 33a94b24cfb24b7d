"""`make bench`.

    python -m lab.bench [--sizes 10k,1m,10m] [--steps extract,validate,payload,pages,reconcile,loop,history,views,airflow,parse,api] [--past 2m,10m]
        [--json FILE] [--picture FILE.svg]

Generates its data, starts its own PostgreSQL and sandboxes, runs the package and the scripts in turns and prints the tables. From five million
orders on only memory and growth are looked at. Ends with 1 when CJ and the warehouse differ afterwards, or a step's result is wrong; a ratio that is not reached is
marked, and no failure: machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from lab.bench import airflow_night, api_server
from lab.bench.ground import lay, postgres, scratch, seed_sandbox
from lab.bench.loops import NINE_MONTHS, history
from lab.bench.measuring import measured
from lab.bench.row import Row
from lab.bench.steps import FLAT, STEPS, WITHOUT_SANDBOX
from lab.bench.table import as_json, costs, growth, markdown, phases, sides

WITH_AIRFLOW = {**airflow_night.STEPS, "api": api_server.step}
"""Steps of one size, in an Airflow of their own."""
_UNITS = {"k": 1_000, "m": 1_000_000}


def size(text: str) -> int:
    """`10k`, `1m` or a plain number of orders."""
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in _UNITS else (text, "")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give for instance 10k, 1m or 250000") from None


def steps(text: str) -> list[str]:
    known = [*STEPS, *WITH_AIRFLOW]
    asked = text.split(",")
    if unknown := [name for name in asked if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no step {', '.join(unknown)}; there are {', '.join(known)}")
    return asked


def several(text: str) -> list[int]:
    """`10k,1m`."""
    return [size(part) for part in text.split(",")]


def run(sizes: list[int], wanted: list[str], past: list[int]) -> list[Row]:
    known = STEPS | {"history": partial(history, past=past)}
    rows: list[Row] = []

    def keep(row: Row) -> None:
        rows.append(row)
        print(markdown([row]).splitlines()[-1], *row.failures, sep="\n", flush=True)
        if "prepare" in row.ours["phases"]:
            new = [phases(whose, figures) for in_row, whose, figures in sides(rows) if in_row is row]
            print(*new, *filter(None, [row.note]), sep="\n", flush=True)

    with scratch() as folder:
        with postgres(folder) as server:
            for orders in sizes:
                mine = [name for name in STEPS if name in wanted and (orders < FLAT or name in WITHOUT_SANDBOX)]
                ground = lay(server, folder, orders)
                if {"validate", "payload"} & set(mine):
                    measured("lab.bench.ours:inputs", ground.arguments())
                if {"pages", "loop", "history"} & set(mine):
                    seed_sandbox(ground)
                for name in mine:
                    for row in known[name](ground):
                        keep(row)
                shutil.rmtree(ground.folder, ignore_errors=True)
        for name, step in WITH_AIRFLOW.items():
            if name in wanted:
                for row in step(folder):
                    keep(row)
    return rows


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {"cores": os.cpu_count(), "memory_gb": memory, "python": platform.python_version(), "load_before": os.getloadavg()[0]}


def main() -> int:
    known = [*STEPS, *WITH_AIRFLOW]
    parser = argparse.ArgumentParser(prog="python -m lab.bench", description="The loop beside the scripts, step by step.")
    parser.add_argument("--sizes", type=several, default=[10_000, 1_000_000])
    parser.add_argument("--steps", type=steps, default=known, help=",".join(known))
    parser.add_argument("--past", type=several, default=[NINE_MONTHS], help="states sent before the night of the step history")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg")
    args = parser.parse_args()
    began, host = time.monotonic(), machine()
    rows = run(args.sizes, args.steps, args.past)
    print("", *filter(None, (markdown(rows), growth(rows), costs(rows))), sep="\n\n")
    print(
        f"\n{host['cores']} cores, {host['memory_gb']} GB, load {host['load_before']:.1f} before; {time.monotonic() - began:.0f} s in all."
    )
    if args.json:
        args.json.write_text(json.dumps(as_json(rows, host), indent=2) + "\n", encoding="utf-8")
    if args.picture:
        from lab.bench.picture import svg

        args.picture.write_text(svg(rows), encoding="utf-8")
    wrong = [f"{row.step}, {row.orders:,} orders: {failure}" for row in rows for failure in row.failures]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
