"""Benchmarks: CPU time per event and memory, on a real Kafka with real HTTP. `make bench` runs them all."""
