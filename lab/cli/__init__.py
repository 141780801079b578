"""One verb a file; the only place that prints, exits and knows providers."""
