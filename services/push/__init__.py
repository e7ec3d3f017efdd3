"""The push service: how each device is reached, and which challenges wait for its person."""
