"""Dead letters after the fact: read, judged, discarded and delivered again."""
