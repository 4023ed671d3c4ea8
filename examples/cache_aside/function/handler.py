"""Answers ``{"id": "tea"}`` with the product; ``{"id": "tea", "price": 4}`` changes it."""

from __future__ import annotations

import os
from typing import Any

import boto3
from products import Product, Products

from cdk_redis_runtime import connect

dynamodb: Any = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["TABLE"])


def read(id: str) -> Product | None:
    """Read a product from the table."""
    item = table.get_item(Key={"id": id}).get("Item")
    return None if item is None else {"id": item["id"], "price": int(item["price"])}


products = Products(connect(), read)


def handler(event: dict[str, Any], _context: object) -> Product | None:
    """Change a product, or answer with it."""
    if "price" in event:
        table.put_item(Item={"id": event["id"], "price": event["price"]})
        products.forget(event["id"])
    return products.get(event["id"])
