"""Checkpoints, and trainings that end bit for bit where they would have, whenever they were stopped."""
