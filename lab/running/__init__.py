"""A plan becomes events: the only rooms that change the world, through ports."""
