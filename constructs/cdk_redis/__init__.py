"""AWS CDK constructs for Redis-compatible stores: ElastiCache and MemoryDB."""
