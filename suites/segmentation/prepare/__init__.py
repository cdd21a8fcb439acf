"""`bench data prepare`: published files into the form the suites read."""
