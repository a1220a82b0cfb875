"""What moto does otherwise than AWS, and what hides errors from us."""

from typing import Any

import moto.cloudformation.parsing as parsing
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_ecs

from tests.infra.cloud.types import camel


def repair() -> None:
    """Do it, once or several times."""
    parsing.ResourceMap.get = _loud  # type: ignore[method-assign]
    NetworkInterface.private_dns_name = "ip-10-42-0-10.ec2.internal"  # its VPC forgets that it has names
    for model, attribute, separator in (
        (FakeLoadBalancer, "LoadBalancerFullName", ":loadbalancer/"),
        (FakeTargetGroup, "TargetGroupFullName", ":"),
    ):
        _give_full_name(model, attribute, separator)
    ecs = state_task_service_ecs.StateTaskServiceEcs  # a state's `Cluster` is boto3's `cluster`
    ecs._normalise_parameters = _as_the_api_has_it
    ecs._normalise_response = _as_states_have_it


def _loud(self: Any, key: str, default: Any = None) -> Any:
    """An error in making a resource is one, and not a resource that does not exist."""
    try:
        return self[key]
    except KeyError as error:
        if key in self._resource_json_map:
            raise RuntimeError(f"{key}, {self._resource_json_map[key]['Type']}: {error!r}") from error
        return default


def _give_full_name(model: Any, attribute: str, separator: str) -> None:
    before = getattr(model, "get_cfn_attribute", None)
    if getattr(before, "repaired", False):
        return

    def get(self: Any, name: str) -> Any:
        if name == attribute:
            return self.arn.split(separator)[-1]
        if before is None:
            raise KeyError(name)
        return before(self, name)

    get.repaired = True  # type: ignore[attr-defined]
    model.get_cfn_attribute = get


def _as_the_api_has_it(self: Any, parameters: dict[str, Any], *_: Any, **__: Any) -> None:
    changed = camel(parameters)
    parameters.clear()
    parameters.update(changed)


def _as_states_have_it(self: Any, response: Any, *_: Any, **__: Any) -> None:
    if isinstance(response, dict):
        for key in list(response):
            value = response.pop(key)
            _as_states_have_it(self, value)
            response[key[:1].upper() + key[1:]] = value
    elif isinstance(response, list):
        for value in response:
            _as_states_have_it(self, value)
