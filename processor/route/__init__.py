"""Routing: which events, under which condition, go where."""
