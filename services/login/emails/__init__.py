"""E-mails to accounts' owners."""
