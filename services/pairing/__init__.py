"""The pairing service: hands out phrases, and brings together the phone that shows one and the account that names it."""
