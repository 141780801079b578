"""The portable kinds' keys: what each means, wherever it runs."""
