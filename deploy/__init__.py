"""Runs Countersign: Kafka on one machine, the topics, the services and their supervisor."""
