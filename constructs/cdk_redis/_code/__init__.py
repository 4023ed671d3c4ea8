"""Code of functions: the folder of a user, redis-py and ``cdk_redis_runtime``, put together at synth."""
