"""The stream side of an instance: consumer, lanes, owners, record guard and processors."""
