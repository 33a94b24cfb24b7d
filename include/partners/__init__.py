"""What a partner saw against what CJ holds: a publisher's own log beside CJ's records of it. No Airflow inside; nothing is ever sent to CJ.

mapping      one file a partner: where its log is, and which of its columns are which
rows         its rows, out of CSV, Parquet, JSON lines or a query, as the log keeps them
loading      into cj.partner_log, each row once
rules        how rows find records, what is said of both, and where the money stands: told once, as data
calendar     when CJ pays what locked in a month, and when the partner credits it
reconcile    the verb: load, join, judge, state
views        what a page, a CSV file or the partner is given of it
statement    the same as one HTML file
check        what the doctor asks of the mappings
receiver/    a process of its own, for a partner that fires a postback at each conversion
"""
