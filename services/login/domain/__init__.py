"""The login service's rules: pure functions of an account and an event."""
