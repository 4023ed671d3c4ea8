"""The version of both distributions, cdk-redis-runtime and cdk-redis: their pyproject.toml read it from this file."""

__version__ = "0.1.0"
