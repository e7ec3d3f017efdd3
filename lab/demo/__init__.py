"""Shows the whole flow in a terminal: ``make demo``."""
