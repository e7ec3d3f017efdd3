"""One running instance: wiring, lifecycle, health and port."""
