"""The loop: it drives what CJ holds towards what the warehouse says. No Airflow inside.

The verbs, in the order of a night, and the rooms an order passes on its way:

    prepare     ledger/    what CJ holds                      changes/   what the warehouse says
                gate/      what may go to CJ at all           plan/      the one thing to do for each order
                journal/   chunks, written before a call
    submit      posting/   Test Mode, then live               journal/   intent before the call, answer after it
    prove       verdicts/  whether what went first arrived, before the rest goes (where a canary is asked for)
    publish     journal/   what happened, into the tables
    reconcile   ledger/    what has arrived                   report/    what somebody looks at

    preview     a plan that is not kept                       rebuild    the tables anew from the journal
    prelock/    every open order beside the warehouse before CJ locks it, and who has looked
    acknowledge a person's note on a break
    cases/      what CJ's support has to look at; its `acting` is what a person says of it
    settings    what a run may do and where things are
"""
