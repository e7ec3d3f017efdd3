"""One running instance: its wiring, its life from start to stop, its health and its port."""
