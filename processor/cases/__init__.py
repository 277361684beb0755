"""Cases beside a mapping: an event in, requests out."""
