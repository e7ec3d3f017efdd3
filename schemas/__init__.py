"""The wire format: topics, messages and codec. It imports no other package of Countersign."""
