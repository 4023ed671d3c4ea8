"""Lets a proxy serve processes of its own user only."""

from __future__ import annotations

import asyncio
import logging
import os

from cdk_redis_local._gates.peers import peer_uid

_log = logging.getLogger(__name__)


def is_of_owner(writer: asyncio.StreamWriter) -> bool:
    """Whether a process of this process's user opened a connection over loopback.

    A store without users accepts every client, and all users of a machine can connect to its loopback ports.
    """
    client, server = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
    # A client that has closed its socket has no owner, and may have no address any more.
    uid = peer_uid(client, server) if client and server else None
    if uid is not None and uid != os.getuid():
        _log.warning("port %s refused a connection of uid %s", server[1], uid)
    return uid == os.getuid()
