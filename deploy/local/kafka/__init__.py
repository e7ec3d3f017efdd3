"""Apache Kafka on one machine, started from its jars."""
