"""The e-mails that tell an account's owner of changes."""
