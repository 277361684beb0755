"""Mapping: from an event's fields to the payload of a vendor's method."""
