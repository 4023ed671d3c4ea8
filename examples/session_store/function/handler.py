"""A web application in four calls: sign in, add to the cart, show the cart, sign out."""

from __future__ import annotations

import os
from typing import Any

from sessions import Sessions

from cdk_redis_runtime import connect

sessions = Sessions(connect(), int(os.environ["SESSION_SECONDS"]))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one call."""
    if "sign_in" in event:
        return {"session": sessions.start(event["sign_in"])}
    session = sessions.load(event["session"])
    if session is None:
        return {"error": "sign in again"}
    if "add" in event:
        session.setdefault("cart", []).append(event["add"])
        sessions.save(event["session"], session)
    if "sign_out" in event:
        sessions.end(event["session"])
    return session
