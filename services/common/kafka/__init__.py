"""Kafka's clients: publishing, partitions, tailing a topic, dead letters, and whether Kafka takes writes."""
