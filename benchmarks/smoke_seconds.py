"""Measures the smoke test on a healthy cluster of six TLS nodes; fails if the median is longer than one second.

Certificates are verified against the public authorities of this machine and the cluster's authority, about as many as
in a Lambda function.
"""

from __future__ import annotations

import gc
import os
import ssl
import statistics
import time
from pathlib import Path
from tempfile import NamedTemporaryFile

from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis import AccessString
from cdk_redis_local import AclUser, EngineSet, find_engine
from cdk_redis_runtime import Connection, Declaration, smoke_test

PASSWORD = "a-password-of-the-benchmark"
PREFIX = "cdk-redis-smoke:"
RUNS = 30
LONGEST_SECONDS = 1.0


def main() -> None:
    """Measure and print the median, shortest and longest time.

    Raises:
        SystemExit: The median is longer than `LONGEST_SECONDS`, or a check failed.
    """
    user = AclUser("smoke", str(AccessString.smoke_test(PREFIX)), passwords=(PASSWORD,))
    with (
        EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user]) as engines,
        NamedTemporaryFile("w", suffix=".pem") as trusted,
    ):
        public = ssl.get_default_verify_paths().cafile
        trusted.write("\n".join(Path(file).read_text() for file in (public, engines.ca_file) if file))
        trusted.flush()
        os.environ["SSL_CERT_FILE"] = trusted.name
        # Exclude the CDK's objects from garbage collection, because a Lambda function does not load the CDK.
        gc.collect()
        gc.freeze()
        seconds = sorted(run(engines) for _ in range(RUNS))
    median = statistics.median(seconds)
    print(f"median {median * 1000:.0f} ms, from {seconds[0] * 1000:.0f} to {seconds[-1] * 1000:.0f} ms, of {RUNS} runs")
    if median > LONGEST_SECONDS:
        raise SystemExit(f"the median is longer than {LONGEST_SECONDS:g} s")


def run(engines: EngineSet) -> float:
    """Run the smoke test once; returns its duration in seconds."""
    host, port = engines.endpoint
    engine = find_engine()
    connection = Connection(
        "elasticache", "bench", host, port, authentication="password", user="smoke", region="eu-west-1"
    )
    declared = Declaration(engine.name, engine.major_minor, 3, 1, PREFIX, maxmemory_policy="noeviction")
    started = time.perf_counter()
    report = smoke_test(connection, declared, credentials=UsernamePasswordCredentialProvider("smoke", PASSWORD))
    seconds = time.perf_counter() - started
    if not report.passed:
        raise SystemExit(f"the healthy store failed: {report.failed}")
    return seconds


if __name__ == "__main__":
    main()
