"""Whether a person must approve a plan, what that person reads, and what became of the question.

The parts:

    moves      what a plan changes, by operation and partner
    rules      the money gate's rules, told once
    judging    those rules asked of a plan: what is open at CJ, the nights before
    sent       what earlier plans of the run had sent: it is judged with the newest
    stake      the money at stake, and the limit on it
    question   the subject and the body of the question
    record     questions and answers: into the journal, and from there into cj.approvals
"""
