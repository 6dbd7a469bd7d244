"""Commands of the command line beyond the run itself, one module each."""
