"""The command ``cdk-redis``: ``smoke``, ``connect`` and ``token``."""
