"""What a file of SB3 or torch would execute, told without executing it."""
