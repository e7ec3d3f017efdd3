"""The three services. They never import each other; Kafka is between them."""
