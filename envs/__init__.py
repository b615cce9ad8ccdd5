"""Levels with known factors, indoor and outdoor; importing this registers them and never needs a display."""

if __name__ != "perma_agent.envs":
    raise ImportError(
        f"this folder ships as `perma_agent.envs` but was imported as `{__name__}`: "
        "run `pip install -e .`, then import `perma_agent.envs`"
    )
