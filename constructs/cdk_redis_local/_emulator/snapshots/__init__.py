"""Snapshots of stores: RDB files of their engines, and stores that start with them."""
