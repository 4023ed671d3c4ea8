"""One data set in Ireland and Oregon: written and read in both, each with its own network, users and snapshots.

cdk deploy --all --app "python3 examples/memorydb_multi_region.py"
"""

import aws_cdk as cdk

from cdk_redis import AccessString, MemoryDbCluster, MultiRegionCluster, RedisNetwork, Snapshots

app = cdk.App()
environments = [cdk.Environment(region=region) for region in ("eu-west-1", "us-west-2")]
regions = [cdk.Stack(app, f"Ledger-{env.region}", env=env, cross_region_references=True) for env in environments]
everywhere = MultiRegionCluster(regions[0], "Everywhere", node_type="db.r7g.xlarge", shards=2)
for stack in regions:
    member = MemoryDbCluster(
        stack,
        "Ledger",
        network=RedisNetwork(stack, "Network"),
        multi_region=everywhere,
        replicas=1,
        snapshots=Snapshots.daily(retention_days=15),
    )
    member.add_iam_user("app", AccessString.read_write("app:*"))
app.synth()
