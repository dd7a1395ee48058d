"""The command line: one file per command. Parses, calls, prints; decides nothing."""
