"""How a type is added to moto's CloudFormation."""

from collections.abc import Callable
from typing import Any

import boto3
import moto.cloudformation.parsing as parsing  # first: it loads moto's own models, so that ours win
from moto.core.common_models import CloudFormationModel

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]
"""What `Ref` gives, and what `Fn::GetAtt` gives."""
Maker = Callable[[str, Properties, str], Made]
"""Logical name, properties and region to what was made."""


def client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region)


def camel(value: Any) -> Any:
    """CloudFormation's `PascalCase` as the API has it."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: camel(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [camel(inner) for inner in value]
    return value


def without(properties: Properties, *names: str) -> Properties:
    return {name: value for name, value in properties.items() if name not in {*names, "Tags"}}


def register(kind: str, make: Maker) -> None:
    """Let resources of a type be made by `make`."""

    def create(cls: Any, name: str, resource: dict[str, Any], account_id: str, region_name: str, **_: Any) -> Any:
        made = cls()
        made.reference, made.attributes = make(name, resource.get("Properties", {}), region_name)
        return made

    methods = {
        "cloudformation_name_type": staticmethod(lambda: ""),
        "cloudformation_type": staticmethod(lambda: kind),
        "has_cfn_attr": classmethod(lambda cls, attribute: True),
        "create_from_cloudformation_json": classmethod(create),
        "delete_from_cloudformation_json": classmethod(lambda cls, *_, **__: None),
        "physical_resource_id": property(lambda self: self.reference),
        "get_cfn_attribute": lambda self, attribute: self.attributes[attribute],
    }
    type(f"Made{kind.replace('::', '')}", (CloudFormationModel,), methods)
    for cache in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cache.cache_clear()
