"""Replicas on a real Kafka under every fault, and judges of what came of it."""
