"""Any environment with dm_env's interface as one of our levels."""
