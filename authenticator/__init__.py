"""The authenticator: the phone as a web app and as a Python device of the same protocol."""
