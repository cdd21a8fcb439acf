"""The verbs of the command line, one a file; each is imported when it is called."""
