"""The push service's rules: pure functions of a channel and an event."""
