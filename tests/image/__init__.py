"""The image, and the compose file that runs it."""
