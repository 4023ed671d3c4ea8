"""Runs the smoke test many times on a healthy three-shard TLS cluster under load; every run must pass."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Generator

from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis import AccessString
from cdk_redis_local import AclUser, EngineSet, find_engine
from cdk_redis_runtime import Connection, Declaration, smoke_test

PASSWORD = "a-password-of-the-benchmark"
PREFIX = "cdk-redis-smoke:"


def main() -> int:
    """Run the smoke tests, and print the number of failed checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    users = [
        AclUser("smoke", str(AccessString.smoke_test(PREFIX)), passwords=(PASSWORD,)),
        AclUser("load", passwords=(PASSWORD,)),
    ]
    seconds: list[float] = []
    failures: list[str] = []
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=users) as engines:
        os.environ["SSL_CERT_FILE"] = engines.ca_file
        host, port = engines.endpoint
        engine = find_engine()
        connection = Connection("elasticache", "bench", host, port, authentication="password", user="smoke")
        declared = Declaration(engine.name, engine.major_minor, 3, 1, PREFIX, maxmemory_policy="noeviction")
        provider = UsernamePasswordCredentialProvider("smoke", PASSWORD)
        with _load(engines):
            for _ in range(runs):
                started = time.perf_counter()
                report = smoke_test(connection, declared, credentials=provider)
                seconds.append(time.perf_counter() - started)
                failures += [f"{check.name}: {check.outcome.reason}" for check in report.failed]
    print(f"{runs} runs, {len(failures)} failed checks; median {statistics.median(seconds) * 1000:.0f} ms, ", end="")
    print(f"longest {max(seconds) * 1000:.0f} ms")
    print("\n".join(failures))
    return 1 if failures else 0


@contextlib.contextmanager
def _load(engines: EngineSet) -> Generator[None, None, None]:
    host, port = engines.endpoint
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        raise SystemExit("no redis-benchmark or valkey-benchmark on PATH: apt-get install redis-tools")
    command = [program, "-h", host, "-p", str(port), "--tls", "--cacert", engines.ca_file, "--cluster"]
    command += ["--user", "load", "-a", PASSWORD, "-t", "set,get", "-c", "20", "-r", "1000", "-l", "-q"]
    load = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    if load.poll() is not None:
        raise SystemExit(f"{program} did not start: exit code {load.returncode}")
    try:
        yield
        if load.poll() is not None:
            raise SystemExit(f"{program} ended before the last run")
    finally:
        load.kill()
        load.wait()


if __name__ == "__main__":
    sys.exit(main())
