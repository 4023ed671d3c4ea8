"""Connecting to a store: settings, TLS, sign-in, IAM tokens."""
