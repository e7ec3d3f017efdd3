"""The account page and its forms: methods, password, sessions, history."""
