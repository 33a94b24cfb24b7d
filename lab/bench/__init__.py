"""`make bench`: the loop beside the script a data engineer would write instead, step by step, in one run on one machine.

measuring.py   a step in a process of its own: seconds, peak memory, time spent waiting for CJ
ground.py      what both sides start from: orders, PostgreSQL, the seeded sandbox
peer.py        the script: pandas, Great Expectations on one frame, json.dumps, merge
ours.py        the same steps through the package
limits.py      the least each step could cost on this machine
night.py       the whole loop, warehouse to verdict, both ways
airflow_night.py   the usual night inside a running Airflow, beside an empty DAG
views.py       the web pages over many nights
api_server.py  what they cost Airflow's API server
truth.py       afterwards: CJ's state against the warehouse's, order by order
steps.py       which measurements there are, and the numbers to reach
table.py picture.py   what is printed and drawn
"""
