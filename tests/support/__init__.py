"""Real parts for tests: a Kafka broker, a schema registry, and waiting without sleeping."""
