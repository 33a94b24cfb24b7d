"""Before CJ locks: every order open at CJ beside the warehouse's truth, what is still to be done, and who has looked.

rules       what is said of an order, and which orders' lock is put off: told once, as data
sweep       every open order asked of the warehouse by its id, a thousand at a time; what differs goes to cj.replan_news for the night
pack        what a review came to, in figures; its digest
files       the same as CSV, and the list of orders to put off in CJ's own format
document    the same as a PDF for a person
signing     who has looked, and at what digest: in the journal, and from there in cj.prelock_reviews
review      the verb: read CJ's news, sweep, write the pack
"""
