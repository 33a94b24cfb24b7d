"""What the generated pages say, a module a page. `lab.docs` has the list."""
