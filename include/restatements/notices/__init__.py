"""Telling people what they must know, once for each change of it.

The parts:

    kinds      what somebody is told of, when, and what to do: told once
    found      which of it is so now, from the tables and from what the edge knows of Airflow and CJ
    record     what was told before (cj.notices), so that nothing is told twice
"""
