"""Breaks everything that can break while people sign in, and proves from the log that nothing was lost or forged."""
