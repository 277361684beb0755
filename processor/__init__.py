"""Sends Avro click events from Kafka topics to Voyado Engage and Retail Rocket."""

from importlib.metadata import version

__version__ = version("clickstream-processor")
