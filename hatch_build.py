"""Requires the run-time package in the version that is built: cdk_redis writes what cdk_redis_runtime reads."""

from __future__ import annotations

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequireRuntime(MetadataHookInterface):
    """Adds cdk-redis-runtime to the requirements in ``[tool.hatch.metadata.hooks.custom]``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the requirements."""
        metadata["dependencies"] = [*self.config["dependencies"], f"cdk-redis-runtime=={metadata['version']}"]
