"""Sending: order per lane, bounded concurrency, batches, pace, and what a reply means."""
