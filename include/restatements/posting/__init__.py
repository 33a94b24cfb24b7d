"""Bringing a chunk to an answer: Test Mode first, the refused orders told apart, then live."""
