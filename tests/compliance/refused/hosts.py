"""Client hosts: instance types, users, endpoints."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from cdk_redis import AccessString, ClientHost, RedisNetwork
from tests.compliance.refused.rows import Accepted, Refused, Scene

_TYPES = "https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html"
_ENDPOINTS = "https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html"
_READ = AccessString.read_only("*")


def _existing(it: Scene) -> RedisNetwork:
    vpc = ec2.Vpc(it.scope, "Vpc", max_azs=2)
    return RedisNetwork(it.scope, "Network", vpc=vpc)


def _host(it: Scene, **given: object) -> ClientHost:
    return ClientHost(it.scope, "Host", **given)


def _with_user(it: Scene) -> ClientHost:
    return _host(it, network=it.network, user=it.group().add_iam_user("operator", _READ))


REFUSED = [
    Refused(
        "A client host has an Arm processor.",
        lambda it: _host(it, network=it.network, instance_type="t3.micro"),
        "instance_type: got 't3.micro', but the image is for Arm, whose instance families have a g behind the number; "
        "give a type such as t4g.micro or m7g.medium",
        _TYPES,
    ),
    Refused(
        "A client host is in the subnets of a network.",
        lambda it: _host(it),
        "network: got None, but there is none; give `network`: the instance is in its subnets",
        "the library",
    ),
    Refused(
        "A client host signs in as a user of its store.",
        lambda it: _host(it, store=it.group()),
        "user: got None, but clients sign in as a user; add one with `add_iam_user`",
        "the library",
    ),
    Refused(
        "A client host without a store signs in as nobody.",
        _with_user,
        "user: got '.../Cache/Users/operator', but there is no `store` to sign in to; give the `store` as well",
        "the library",
    ),
    Refused(
        "In an existing VPC, a client host does not define endpoints unasked: a VPC can have each only once.",
        lambda it: _host(it, network=_existing(it)),
        "endpoints: got None, but the instance needs a way to Systems Manager and S3, and this is an existing VPC; "
        "give True to define endpoints for ssm, ssmmessages and S3, or False if it has them or a NAT gateway",
        _ENDPOINTS,
    ),
]

ACCEPTED = [
    Accepted(
        "A client host is of any Arm type.", lambda it: _host(it, network=it.network, instance_type="c7gn.medium")
    ),
    Accepted(
        "A client host uses the endpoints or the NAT gateway of an existing VPC.",
        lambda it: _host(it, network=_existing(it), endpoints=False),
    ),
    Accepted(
        "A client host of a store with open access signs in as nobody.",
        lambda it: _host(it, store=it.cluster(unsafe_open_access=True)),
    ),
]
