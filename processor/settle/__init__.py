"""Settling: what was received, what is unsettled, up to where may we commit, and dead letters."""
