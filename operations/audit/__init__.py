"""The audit: replays the recorded events, and reports every record that does not follow."""
