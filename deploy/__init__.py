"""Runs Countersign: Kafka for one machine, topics, the services and the supervisor that starts and stops them."""
