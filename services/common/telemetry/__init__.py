"""Metrics, traces and logs: what an instance reports to operators."""
