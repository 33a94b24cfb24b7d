"""Which small mistakes no test notices.

python -m lab.mutants                          every target, each mistake in turn
python -m lab.mutants plan.sql rules/plan.py   the targets whose path holds one of these
      --minutes 30      stop planting after so long; what was not tried is counted
      --jobs 2          so many at a time
      --after 100       leave out the first so many: a survey before this one tried them
      --only TEXT       the mistakes whose description holds this
      --since REVISION  those on lines that have changed since this commit
      --trust           do not ask the tests first without any mistake: they were seen to pass just now
      --quick           ask only the quickest tests of each target: what they miss, the others may still notice
      --list            say what would be planted, and plant nothing

Ends with a table of what nobody noticed, and 1 if there was any.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.airflow.environment import ROOT
from lab.mutants import running
from lab.mutants.decides_nothing import decides_nothing
from lab.mutants.mutation import Mutation
from lab.mutants.running import Ended
from lab.mutants.targets import TARGETS, Target

ASKED_FIRST = 25
"""How many of the tests that noticed other mistakes of a target are asked before its files are: those of the nearest lines, and of them the keenest."""

SHORTEST_WAIT = 60.0
"""Seconds that any run of tests gets; above, four times what they take without a mistake."""
LONGEST_WAIT = 900.0
"""Where it is not known how long they take."""

console = Console(highlight=False)


@dataclass
class Worker:
    """One copy of the tree, and what runs on it."""

    tree: Path
    log: Path
    planted: Mutation | None = None
    target: Target | None = None
    tests: tuple[str, ...] = ()
    """What is still to be asked."""
    guess: str = ""
    """The first of them, where it is the tests that noticed others."""
    pid: int = 0
    began: float = 0.0


class Survey:
    """Plants one mistake after another and keeps what nobody noticed."""

    def __init__(self, place: Path, jobs: int, until: float) -> None:
        self.until = until
        self.workers = []
        for n in range(jobs):
            (place / str(n)).mkdir()
            self.workers.append(Worker(running.copy_of_the_tree(place / str(n)), place / f"{n}.log"))
        self.usual: dict[str, float] = {}
        self.noticing = defaultdict[str, dict[str, list[int]]](dict)
        """By target, which lines' mistakes each test noticed."""
        self.unnoticed: list[Mutation] = []
        self.tried = self.not_tried = 0

    def measure(self, tests: Sequence[str]) -> None:
        """How long each file of tests takes without a mistake. Ends the survey where one fails."""
        worker = self.workers[0]
        for test in tests:
            began = time.monotonic()
            pid = running.start(worker.tree, shlex.split(test), worker.log)
            while (ended := running.wait(pid, began, LONGEST_WAIT)) is None:
                time.sleep(0.05)
            if ended.noticed:
                raise SystemExit(f"{test} {ended.how} without any mistake:\n{worker.log.read_text()[-3_000:]}")
            self.usual[test] = ended.took
            console.print(f"{ended.took:6.1f} s  {test}")

    def plant(self, mistakes: Sequence[tuple[Target, Mutation]]) -> None:
        left = iter(mistakes)
        last_word = time.monotonic()
        while True:
            busy = [worker for worker in self.workers if self._goes_on(worker) or self._takes(worker, left)]
            if time.monotonic() - last_word > 30:
                last_word = time.monotonic()
                console.print(f"{self.tried} of {len(mistakes)} tried, {len(self.unnoticed)} not noticed")
            if not busy:
                break
            time.sleep(0.02)
        self.not_tried = len(mistakes) - self.tried

    def _takes(self, worker: Worker, left: Iterator[tuple[Target, Mutation]]) -> bool:
        if time.monotonic() > self.until:
            return False
        target, mistake = next(left, (None, None))
        if target is None or mistake is None:
            return False
        self.tried += 1
        file = worker.tree / mistake.path
        file.write_text(mistake.applied((ROOT / mistake.path).read_text(encoding="utf-8")), encoding="utf-8")
        worker.planted, worker.target = mistake, target
        worker.guess = shlex.join(self._likely(target, mistake.line))
        worker.tests = (worker.guess, *target.tests) if worker.guess else target.tests
        self._ask_next(worker)
        return True

    def _likely(self, target: Target, line: int) -> list[str]:
        lines = self.noticing[target.path]
        return sorted(lines, key=lambda test: (min(abs(line - other) for other in lines[test]), -len(lines[test])))[:ASKED_FIRST]

    def _ask_next(self, worker: Worker) -> None:
        worker.began = time.monotonic()
        compiled = worker.planted is not None and worker.planted.path.endswith(".sql")
        worker.pid = running.start(worker.tree, shlex.split(worker.tests[0]), worker.log, compiled=compiled)

    def _goes_on(self, worker: Worker) -> bool:
        if worker.planted is None:
            return False
        ended = running.wait(worker.pid, worker.began, max(SHORTEST_WAIT, 4 * self.usual.get(worker.tests[0], 0)))
        if ended is None:
            return True
        guessed, worker.tests = worker.tests[0] == worker.guess, worker.tests[1:]
        by = running.noticed_by(worker.log) if ended.noticed else None
        if by is not None and worker.target is not None:
            self.noticing[worker.target.path].setdefault(by, []).append(worker.planted.line)
        # What was only guessed may not even be there: then the files say.
        if worker.tests and (not ended.noticed or (guessed and by is None)):
            self._ask_next(worker)
            return True
        self._settle(worker, ended)
        return False

    def _settle(self, worker: Worker, ended: Ended) -> None:
        mistake = worker.planted
        assert mistake is not None
        (worker.tree / mistake.path).write_text((ROOT / mistake.path).read_text(encoding="utf-8"), encoding="utf-8")
        worker.planted = None
        if not ended.noticed:
            self.unnoticed.append(mistake)
            console.print(f"[red]not noticed[/red]  {mistake.path}:{mistake.line}  {escape(mistake.what)}")


def planted_in(target: Target) -> list[tuple[Target, Mutation]]:
    """Every mistake of a target that can be noticed."""
    source = (ROOT / target.path).read_text(encoding="utf-8")
    return [(target, mistake) for mistake in target.plants(target.path, source) if not decides_nothing(mistake, source)]


def changed_since(revision: str, path: str) -> set[int]:
    """The lines of a file that were added or changed since a commit, committed or not. Raises CalledProcessError where git does not know it."""
    told = subprocess.run(["git", "diff", "-U0", revision, "--", path], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    lines = set[int]()
    for first, count in re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", told, re.MULTILINE):
        lines.update(range(int(first), int(first) + int(count or 1)))
    return lines


def table_of(unnoticed: Sequence[Mutation]) -> Table:
    table = Table("where", "the mistake", title="What no test noticed")
    for mistake in sorted(unnoticed, key=lambda m: (m.path, m.line)):
        table.add_row(f"{mistake.path}:{mistake.line}", escape(mistake.what))
    return table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lab.mutants", description="Plant small mistakes, and see which of them no test notices."
    )
    parser.add_argument("targets", nargs="*", help="parts of paths; all targets, if none is given")
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--after", type=int, default=0)
    parser.add_argument("--only", default="", help="mistakes whose description holds this")
    parser.add_argument("--since", default="", metavar="REVISION")
    parser.add_argument("--trust", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args(arguments)
    chosen = [t for t in TARGETS if not given.targets or any(part in t.path for part in given.targets)]
    if given.quick:
        chosen = [replace(target, tests=target.tests[:1]) for target in chosen]
    changed = {target.path: changed_since(given.since, target.path) for target in chosen} if given.since else {}
    mistakes = [
        (target, mistake)
        for target in chosen
        for target, mistake in planted_in(target)
        if given.only in mistake.what and (not given.since or mistake.line in changed[mistake.path])
    ][given.after :]
    if given.list or not mistakes:
        for _, mistake in mistakes:
            console.print(f"{mistake.path}:{mistake.line}  {escape(mistake.what)}")
        console.print(f"{len(mistakes)} mistakes")
        return 0
    running.warm_up()
    with tempfile.TemporaryDirectory(prefix="cj-mutants-") as place:
        survey = Survey(Path(place), given.jobs, time.monotonic() + 60 * given.minutes)
        tests = list(dict.fromkeys(test for target, _ in mistakes for test in target.tests))
        if given.trust:
            survey.usual = dict.fromkeys(tests, LONGEST_WAIT / 4)
        else:
            survey.measure(tests)
        survey.plant(mistakes)
    if survey.unnoticed:
        console.print(table_of(survey.unnoticed))
    console.print(f"{survey.tried} mistakes planted, {len(survey.unnoticed)} not noticed, {survey.not_tried} not tried")
    return 1 if survey.unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
