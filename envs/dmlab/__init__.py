"""DeepMind Lab: its levels with our frames, actions and pose, where the engine is installed."""
