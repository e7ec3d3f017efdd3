"""The tests share one protected Kafka, so they run in one process."""
