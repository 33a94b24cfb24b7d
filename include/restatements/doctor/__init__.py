"""What is asked before the first night, and whenever something is odd. Nothing is sent live and nothing is left behind.

    checks        what a check is, and how they are asked one after another
    interpreter   whether this Python may be too old; machine: that, and the installed packages
    warehouse     the connection, rights, clock, CJ's records in it
    orders        the user's query, and a week of it through the gate; week: what is kept of that
    cj            token, enterprise, advertiser, clock
    meeting       whether CJ's orders and the warehouse's are the same ones
    storage       whether exclusive creation is exclusive
    catalogue     all of them, in the order they are asked

What only Airflow knows (connections, Variables, pools) is asked by include.airflow.doctor, in the same form.
"""
