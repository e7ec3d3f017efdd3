"""A real Apache Kafka for one machine, started from its own jars."""
