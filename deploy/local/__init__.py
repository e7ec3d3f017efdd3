"""Runs Kafka and the services on one machine."""
