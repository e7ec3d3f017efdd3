"""Kafka clients: publisher, readers, partitions, dead letters, and whether Kafka accepts writes."""
