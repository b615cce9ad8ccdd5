"""The command line: one verb, one file, each a `Config` (which is also its help text) and a `run(config)`."""
