"""The run's files: what was going to be posted, written before the call, what came of it, and how both become rows of the tables."""
