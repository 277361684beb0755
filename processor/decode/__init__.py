"""Decoding: from a record's bytes to an event."""
