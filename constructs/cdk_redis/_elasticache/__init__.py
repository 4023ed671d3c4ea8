"""ElastiCache: replication groups, serverless caches, global datastores, and their parts."""
