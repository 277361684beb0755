"""The tests; the folders mirror `processor/`."""
