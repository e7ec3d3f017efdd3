"""The pairing service's rules: pure functions of a row and an event."""
