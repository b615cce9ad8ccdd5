"""ViZDoom: its engine, its levels, and the factors read from its state."""
