"""The wire format: topics, messages, codec. Imports nothing else of Countersign."""
