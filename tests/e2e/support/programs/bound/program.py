"""A program that writes to the stores that it is bound to: as a function, or as a process with a binding's name."""

from __future__ import annotations

import sys
from typing import Any

from cdk_redis_runtime import connect


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Write the event's values, by the names of the bindings; an empty name is the binding without a name."""
    found: dict[str, str] = {}
    for name, value in event.items():
        client: Any = connect(name or None)
        client.set("app:key", value)
        found[name] = str(client.get("app:key"))
    return found


if __name__ == "__main__":
    print(handler({"": sys.argv[1]}, None)[""])
