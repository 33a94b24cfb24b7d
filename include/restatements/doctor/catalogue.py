"""Every check that needs no Airflow, in the order it is asked. What each needs of the edge: `accounts`, `connection`, `settings`, `warehouse_connection`,
`orders_connection`."""

from __future__ import annotations

from include.restatements.doctor import cj, machine, meeting, orders, storage, warehouse
from include.restatements.doctor.checks import Check

CONNECTION = "In Airflow: Admin, Connections, {whose}; in the environment: AIRFLOW_CONN_{WHOSE}."
_WAREHOUSE = (
    "It is connection `warehouse` (in the environment: AIRFLOW_CONN_WAREHOUSE); docs/warehouses.md says what it and its login need."
)
_ORDERS = "It is connection `orders` (in the environment: AIRFLOW_CONN_ORDERS); docs/orders.md says what it and its login need."
_QUERY = "docs/warehouses.md, under *Your own order changes*, says what each column may be."
_CJ = f"{CONNECTION} The shipped connection `cj` names a sandbox of this machine: put your own account there."

MACHINE = (
    Check("python", "the interpreter is one the lock is made for", machine.python, "Run `make setup`."),
    Check("packages", "what is installed is what was tried", machine.packages, "Run `make setup`."),
)
"""Asked before the connections are read."""

CHECKS = (
    Check(
        "storage", "the storage takes files, and creates a name exactly once", storage.storage,
        "It is the Variable cj_storage, and the connection that cj_storage_conn_id names.", ("settings",),
    ),
    Check("warehouse", "the warehouse opens", warehouse.opens, _WAREHOUSE, ("warehouse_connection",)),
    Check("way", "nothing on the way to the warehouse ends a night (TLS, pooler, timeouts)", warehouse.circumstances, _WAREHOUSE, ("warehouse",)),
    Check("rights", "the login may write to schema cj", warehouse.rights, _WAREHOUSE, ("warehouse",)),
    Check("token", "CJ takes the token", cj.token, _CJ, ("connection",), each_account=True),
    Check("clock", "this machine's clock is CJ's", cj.clock, "Set the clock (NTP).", ("token",), each_account=True),
    Check(
        "warehouse_clock", "the warehouse's clock is CJ's", warehouse.warehouse_clock, _WAREHOUSE, ("warehouse", "token"),
    ),
    Check("advertiser", "the token may read the advertiser's Commission Detail", cj.advertiser, CONNECTION, ("token",), each_account=True),
    Check("enterprise", "the token may send for the enterprise (in Test Mode)", cj.enterprise, CONNECTION, ("token",), each_account=True),
    Check("ledger", "CJ's records in the warehouse are of today", warehouse.ledger, _WAREHOUSE, ("settings", "connection", "warehouse", "rights"), each_account=True),
    Check("orders_database", "the database of the orders opens", orders.opens, _ORDERS, ("orders_connection",)),
    Check("query", "the query can be read", orders.query, "It is the Variable cj_order_changes_sql.", ("settings",)),
    Check("shape", "the query gives what is needed", orders.shape, _QUERY, ("query", "warehouse", "orders_database")),
    Check("reading", "the query runs", orders.reading, _QUERY, ("shape",)),
    Check("orders", "last week's orders would pass the gate", orders.passing, _QUERY, ("reading",)),
    Check("nulls", "what is always empty is so on purpose", orders.nulls, _QUERY, ("reading",)),
    Check(
        "horizon", "CJ's records go back to the oldest order", warehouse.horizon, "Run cj_commission_ledger with a param `since`.",
        ("connection", "rights", "reading"), each_account=True,
    ),
    Check("ids", "CJ and the warehouse know an order by one id", meeting.ids, _QUERY, ("advertiser", "reading"), each_account=True),
    Check("trackers", "CJ and the warehouse have an order under one action tracker", meeting.trackers, _QUERY, ("advertiser", "reading"), each_account=True),
    Check("basis", "net or gross fits the account", meeting.basis, CONNECTION, ("advertiser", "reading"), each_account=True),
)  # fmt: skip
"""Asked once the connections are read."""
