"""What CJ's support has to look at: written down ready to file, and followed until the orders have posted.

The parts, from the ground up:

    kinds       what is a case, what is none, and what each kind asks of CJ: told once
    desk        CJ's support by region: its line, the hours of its desk, the days it has off
    deadlines   when an answer is due, by both readings of 72 business hours, and when a case closes by itself
    pack        a case as it is filed: its document, and its digest
    writing     the words of a pack
    attaching   the files that go with it, of the types and sizes that CJ takes
    events      what happened to a case, in the journal, and how far that has brought it
    keeping     cj.cases, cj.case_orders and cj.case_events
    following   the cases as they are now: ready ones from the breaks, filed ones by the verdicts and the time
    acting      what a person says of a case
"""
