"""Errors, temporary workspaces, and processes that end with their owner."""
