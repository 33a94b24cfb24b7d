"""The gate: what an order change must be before it may go to CJ, as data (`expectations/`), asked by Great Expectations."""
