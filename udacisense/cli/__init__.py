"""The command line: the same verbs as the pages. Importing it stays light, so that --help answers at once."""
