"""The APIs of ElastiCache and MemoryDB: what the running stores and their templates answer."""
