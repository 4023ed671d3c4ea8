"""Stores that replicate between Regions."""
