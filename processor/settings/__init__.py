"""Settings: the configuration file as one frozen tree, and everything that is wrong with it at once."""
