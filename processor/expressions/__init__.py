"""Expressions: JMESPath, compiled once."""
