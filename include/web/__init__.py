"""The pages analysts live in: what happened, in money and words, read from the tables. No Airflow inside, and nothing is written.

    app         the app: access, headers, errors; every page of `pages.PAGES`, its CSV and its JSON
    pages       which pages there are: a later one is one module and one line there
    overview breaks orders runs held prelock cases   a page each: what it asks, and what it shows, as frozen values
    morning drawn                       what the overview shows, and what its pictures are drawn of
    partners partner_lists              the pages of partners; partner_rows: what they and an order's story have in common
    reading     the way to the warehouse: a transaction that only reads, is soon over, and never waits for a night
    asked       what an address asks for: filters, the place in a long list
    shown       values to words: money, days, links; the templates' environment
    table       CSV
    assets      the files that are shipped: style, scripts, and the two libraries (static/SOURCES.md)

A page is a function from a session and what was asked to a frozen value. The template shows that value, and the JSON is that value.
"""
