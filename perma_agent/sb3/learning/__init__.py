"""What goes on learning beside a policy: the VASE from its experience, and bonuses that must follow it."""
