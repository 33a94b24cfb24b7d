"""The closed list of DAG tags: what each means and what to do when a DAG that carries it fails. A test holds the DAGs to it."""

from __future__ import annotations

CJ = "cj"
MOVES_MONEY = "moves money"
READS_ONLY = "reads only"
NEEDS_WAREHOUSE = "needs warehouse"
BY_HAND = "by hand"

MEANINGS = {
    CJ: "Part of this package. All of its DAGs carry it.",
    MOVES_MONEY: "Can change what an advertiser pays. When it fails, read its last task's log the same day: it says what was not sent.",
    READS_ONLY: "Never sends anything to CJ that counts. When it fails, figures are old, not wrong; the next run catches up by itself.",
    NEEDS_WAREHOUSE: "Opens the warehouse. When several such DAGs fail together, look at connection `warehouse` first.",
    BY_HAND: "Has no schedule: somebody starts it, and reads its log when it has ended.",
}
"""Printed in docs/dags.md."""
