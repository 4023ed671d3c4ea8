"""Draws the picture of a real failover drill: three shards on this machine, of which one primary hangs.

Run: python benchmarks/drill_picture.py [docs/drill.svg]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from redis.credentials import UsernamePasswordCredentialProvider
from rich.console import Console

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_runtime import Connection, render_report
from cdk_redis_runtime._smoke_test.drill import Drill
from cdk_redis_runtime._smoke_test.drill_picture import draw_drill

PASSWORD = "only-for-this-run-of-the-benchmark"
PREFIX = "cdk-redis-drill:"
BEFORE_SECONDS, SECONDS = 8, 24


def drill() -> dict[str, object]:
    """Run the drill; returns its report."""
    user = AclUser("drill", f"on ~{PREFIX}* +@all", passwords=(PASSWORD,))
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user], node_timeout=3.0) as engines:
        os.environ["SSL_CERT_FILE"] = engines.ca_file
        credentials = UsernamePasswordCredentialProvider("drill", PASSWORD)
        host, port = engines.primaries[0].host, engines.primaries[0].port
        connection = Connection("elasticache", "orders", host, port, authentication="password", user="drill")
        running = Drill(connection, key_prefix=PREFIX, seconds=SECONDS, credentials=credentials)
        running.start()
        time.sleep(BEFORE_SECONDS)
        victim = engines.primaries[1]
        victim.freeze()
        try:
            running.wait()
            report = running.stop()
            running.clean_up()
        finally:
            victim.resume()
    return report.as_dict()


def main() -> None:
    """Print the report, and write its picture if a file is given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", type=Path, nargs="?")
    given = parser.parse_args()
    report = drill()
    Console().print(render_report(report))
    if given.picture:
        given.picture.write_text(draw_drill(report), encoding="utf-8")


if __name__ == "__main__":
    main()
