"""What becomes of events when a vendor, a key or a record goes wrong: with real parts, seen from the vendor's side."""
