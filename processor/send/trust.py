"""Whose certificates are believed."""

import ssl


def trusting(ca_file: str) -> ssl.SSLContext:
    """Trust the machine's authorities, and those of a PEM file.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
