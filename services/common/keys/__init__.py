"""Keys at rest: secrets, signing keys, key agreement and sealing, with their files and rotation."""
