"""Mistakes planted one at a time into a copy of the tree, to see which of them no test notices.

    targets           what is mutated, and the tests that ought to notice, the quick ones first
    told_rules        rules told as data: each dropped, swapped with its neighbour, each part of its condition turned
    sql_texts         SQL: comparisons, AND and OR, signs, NOT, ABS, orders, numbers
    python_code       chosen modules: comparisons, conditions, signs, abs, numbers
    decides_nothing   the few that change no answer, with the reason
    running           one process for each mistake, forked from one that has already imported what is slow
    __main__          python -m lab.mutants

Of its own and not cosmic-ray or mutmut: what decides here are SQL texts and rules told as data, and those mutate Python alone; the pass over Python
is a small part of the whole, and one runner keeps one list of what was noticed.
"""
