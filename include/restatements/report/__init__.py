"""What somebody looks at: figures collected from the tables, told as a table for a terminal, a page and a picture."""
