"""The password page, and what guards it."""
