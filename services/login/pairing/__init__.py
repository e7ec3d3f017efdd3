"""The pages that enrol an account and pair a phone."""
