"""The jobs and experiments that a user can rerun: each takes a config and gives frozen results."""
