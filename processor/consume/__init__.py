"""Consuming: the thread that owns the Kafka consumer, and the queue between it and the event loop."""
