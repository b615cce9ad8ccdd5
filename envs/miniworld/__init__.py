"""MiniWorld: its engine put right, what it draws with, and its own levels."""
