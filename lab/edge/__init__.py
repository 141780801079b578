"""The real world, one piece a module."""
