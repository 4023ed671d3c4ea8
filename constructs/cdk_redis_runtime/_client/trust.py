"""TLS contexts: which certificates are trusted."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache


def verifying_context() -> ssl.SSLContext:
    """A context that verifies certificate chain and host name, and requires TLS 1.2 or newer."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def shared_context() -> ssl.SSLContext:
    """The context that all clients of this process share: reading the public authorities takes 20 milliseconds.

    Another ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` makes another context.
    """
    return _context_of(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _context_of(_file: str | None, _directory: str | None) -> ssl.SSLContext:
    return verifying_context()
