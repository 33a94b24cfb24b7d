"""A shop that invents nights of orders, the same every time, shaped like a real online shop's year.

year          the figures of the real year, and how to draw from them
orders        what an order is while it is being invented: lines in cents
catalogue     SKUs with prices; baskets
shop          a whole shop: its change log and what the pixel told CJ
storyline     one designed order for everything that can happen to an order, and what the tables must say of it
story_types   nights and cases: the words a storyline is told in
dirt          one row for every way a row can be wrong
files         the warehouse's `order_changes` and the sandbox's seed directory
stage         moving a sandbox through the nights
"""
