from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._values.endpoint import Endpoint


def test_an_endpoint_has_a_socket_address():
    endpoint = Endpoint("cache.example.com", 6380)
    assert endpoint.socket_address == "cache.example.com:6380"
    assert endpoint.port_text == "6380"
    assert endpoint == Endpoint("cache.example.com", 6380)


@pytest.mark.parametrize(
    ("cfn_port", "resolved"),
    [
        # ElastiCache has text attributes, MemoryDB number attributes.
        (lambda: cdk.Fn.get_att("Store", "Port").to_string(), {"Fn::GetAtt": ["Store", "Port"]}),
        (lambda: cdk.Token.as_number(cdk.Fn.get_att("Store", "Port")), {"Fn::GetAtt": ["Store", "Port"]}),
    ],
)
def test_an_endpoint_is_created_from_attributes_of_either_service(cfn_port: Any, resolved: Any):
    stack = cdk.Stack()
    endpoint = Endpoint.from_attributes(cdk.Fn.get_att("Store", "Address").to_string(), cfn_port())
    assert stack.resolve(endpoint.port) == resolved
    assert stack.resolve(endpoint.port_text) == resolved
    assert stack.resolve(endpoint.socket_address) == {
        "Fn::Join": ["", [{"Fn::GetAtt": ["Store", "Address"]}, ":", resolved]]
    }


def test_from_attributes_accepts_numbers():
    assert Endpoint.from_attributes("cache.example.com", 6379) == Endpoint("cache.example.com", 6379)


@pytest.mark.parametrize("address", ["", "redis://cache", "cache:6379", "cache ", "a\n", None])
def test_an_address_that_is_not_a_host_name_is_refused(address: Any):
    with pytest.raises(ConfigurationError) as raised:
        Endpoint(address, 6379)
    assert str(raised.value) == (
        f"Endpoint: address: got {address!r}, but an address is a host name without scheme, port and path"
    )


@pytest.mark.parametrize("port", [0, -1, 65536, "6379", 6379.5, True, None])
def test_an_invalid_port_is_refused(port: Any):
    with pytest.raises(ConfigurationError) as raised:
        Endpoint("cache", port)
    assert str(raised.value) == f"Endpoint: port: got {port!r}, but a port is a whole number from 1 to 65535"
