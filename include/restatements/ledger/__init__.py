"""CJ's records in the warehouse: Commission Detail, read once and kept."""
