"""Where a run's files are: one protocol (`folder`), a directory (`local`) or a bucket (`bucket`) behind it; `opening` tells them apart."""
