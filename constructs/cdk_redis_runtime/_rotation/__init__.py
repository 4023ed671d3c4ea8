"""Rotates a password: the four steps of Secrets Manager, and what changes in ElastiCache and MemoryDB."""
