"""The pairing service: hands out phrases, and brings phone and account together by them."""
