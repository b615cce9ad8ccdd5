"""The one action space of all levels, in the order of its numbers."""

ACTIONS = ("turn_left", "turn_right", "forward", "back", "use")
"""`use` picks up what stands before the agent, or drops what it carries; in a level that has nothing to pick up it does
nothing, and so do `back` and `use` in an engine's level that does not know them: the agent waits one step."""
TURN_LEFT, TURN_RIGHT, FORWARD, BACK, USE = range(len(ACTIONS))
