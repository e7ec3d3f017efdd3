"""The device protocol as pure functions without I/O: keys, signed requests, challenges, answers, proofs.

Services, the terminal device and the tests share them; docs/protocol.md specifies them to the byte.
"""
