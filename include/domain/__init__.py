"""The words every room speaks: money, states, shapes, marks, errors, the account. Imports nothing of the package."""
