"""`make bench`: the loop beside the scripts a data engineer would write instead, step by step, in one run on one machine.

measuring.py   a step in a process of its own: seconds, peak memory, time spent waiting for CJ
costs.py       processor time with that of children, PostgreSQL's, bytes written, WAL
ground.py      what all sides start from: orders, PostgreSQL, the seeded sandbox
peer.py        the script: pandas, Great Expectations on one frame, json.dumps, merge; keeps nothing
peer_keeping.py   the same with tables of what it sent and saw
peer_polars.py    the same by somebody who knows polars
ours.py        the same steps through the package
limits.py      the least each step could cost on this machine
night.py       the whole loop of one side, warehouse to verdict
loops.py       the loops as rows: ours on either warehouse, the scripts, and a night on nine months of nights (history.py)
airflow_night.py   the usual night inside a running Airflow, beside an empty DAG
task_waits.py  when its tasks waited for CJ
views.py       the web pages over many nights
api_server.py  what they cost Airflow's API server
truth.py       afterwards: CJ's state against the warehouse's, order by order
row.py steps.py   which measurements there are, and the numbers to reach
growth.py      whether a step stays what it is as the orders grow
table.py picture.py   what is printed and drawn
"""
