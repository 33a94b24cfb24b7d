"""What the warehouse says: the user's query, read in batches and parsed into exact values."""
