"""The pairing service: issues phrases, and pairs phones with accounts by them."""
