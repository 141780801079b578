"""lab declares a whole machine-learning lab in one YAML file, plans it, applies it and remembers it."""

__version__ = "0.1.0"
