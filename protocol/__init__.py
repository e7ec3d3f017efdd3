"""The device protocol as pure functions: keys, signed requests, challenges, answers, proofs. No input or output.

Services, the terminal device and the tests use these alike; docs/protocol.md gives the same to the byte.
"""
