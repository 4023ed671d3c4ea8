"""Proxies ("gates") in front of the engines and of the emulator's AWS APIs: TLS, IAM tokens, request signatures."""
