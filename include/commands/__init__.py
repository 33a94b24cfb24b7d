"""What a person types: `make demo`, `make up`, and the backfill's preview and the tables anew by hand."""
