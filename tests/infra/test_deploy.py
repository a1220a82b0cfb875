"""Every template is executed, to the last resource, and what is there afterwards is looked at."""

from collections.abc import Iterator

import pytest

from infra.bus_keys import fill
from infra.bus_names import AUTHORITY, SERVERS, node_hosts
from kit.runtime.errors import StartError
from services.permissions import permissions
from services.roster import ROSTER
from tests.infra.cloud.deploy import ORDER, Deployed, assert_complete, deployed
from tests.infra.synthesized import Synthesized

SECONDS = 600
NAMES = {spec.name for spec in ROSTER}


@pytest.mark.timeout(SECONDS)
def test_every_stack_is_complete_and_nothing_of_it_is_left_out(clouds: dict[str, Synthesized]) -> None:
    # `prod` is below, and `small` in test_workflow.py: each is deployed once.
    with deployed(clouds["dev"]) as there:
        assert_complete(there, clouds["dev"])


@pytest.mark.timeout(SECONDS)
def test_without_an_instance_as_well(all_fargate: Synthesized, prod: Synthesized) -> None:
    """What stands on the nodes does not notice what they run on: those templates are the same, and made once."""
    last = "Messaging"
    with deployed(all_fargate, last=last) as there:
        assert_complete(there, all_fargate, last)
    for stack in ORDER[ORDER.index(last) + 1 :]:
        assert all_fargate.templates[stack] == prod.templates[stack], stack


@pytest.fixture(scope="module")
def there(prod: Synthesized) -> Iterator[Deployed]:
    """Production, deployed."""
    with deployed(prod) as made:
        yield made


@pytest.mark.timeout(SECONDS)
def test_in_production_as_well(there: Deployed, prod: Synthesized) -> None:
    assert_complete(there, prod)


def test_requests_go_to_one_group_of_edges_and_a_canary_has_the_other(there: Deployed) -> None:
    elb = there.client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    listeners = {
        one["Port"]: one for one in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    }
    assert balancer["Scheme"] == "internet-facing"
    assert len(balancer["AvailabilityZones"]) == 3
    (rule,) = (
        one for one in elb.describe_rules(ListenerArn=listeners[443]["ListenerArn"])["Rules"] if one["Priority"] == "10"
    )
    weights = [one["Weight"] for one in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]
    assert sorted(weights) == [0, 100]
    for group in elb.describe_target_groups()["TargetGroups"]:
        assert group["HealthCheckPath"] == "/healthz"  # what else is said of it moto forgets
        assert group["TargetType"] == "ip"


def test_each_service_runs_with_its_own_role_and_image(there: Deployed) -> None:
    ecs = there.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    arns = ecs.list_services(cluster=cluster, maxResults=50)["serviceArns"]
    services = ecs.describe_services(cluster=cluster, services=arns)["services"]
    roles = {}
    for service in services:
        task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        (container,) = task["containerDefinitions"]
        roles[(container["name"], service["serviceName"])] = task.get("taskRoleArn")
        if container["name"] in NAMES:
            assert container["image"].endswith("ai-studio:git-0123abc")
            assert container["readonlyRootFilesystem"]
    products = {name: role for (name, _), role in roles.items() if name in NAMES}
    assert set(products) == NAMES
    assert len(set(products.values())) == len(NAMES)
    assert len(services) == len(NAMES) + 3


def test_the_keys_of_the_bus_find_their_secrets(there: Deployed, prod: Synthesized) -> None:
    secrets, hosts = there.client("secretsmanager"), node_hosts(prod.profile)
    assert set(fill(secrets, "prod", hosts)) == {*permissions(), SERVERS, AUTHORITY}
    assert fill(secrets, "prod", hosts) == []
    assert set(fill(secrets, "prod", hosts, ["chat"])) == {"chat", SERVERS}
    with pytest.raises(StartError, match="deploy Studio-small-Data"):
        fill(secrets, "small", hosts)


def test_scaling_and_alarms_are_those_of_the_templates(there: Deployed, prod: Synthesized) -> None:
    scaling = there.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert len(targets) == len(NAMES)
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert len(policies) == len(prod.named("AWS::ApplicationAutoScaling::ScalingPolicy"))
    alarms = there.client("cloudwatch").describe_alarms()["MetricAlarms"]
    alarms = [alarm for alarm in alarms if not alarm["AlarmName"].startswith("TargetTracking-")]  # AWS's own
    assert len(alarms) == len(prod.named("AWS::CloudWatch::Alarm"))
    known = {policy["PolicyARN"] for policy in policies}
    topics = [one["TopicArn"] for one in there.client("sns").list_topics()["Topics"]]
    (topic,) = (arn for arn in topics if "Alarms" in arn)
    for alarm in alarms:
        assert set(alarm["AlarmActions"]) <= known | {topic}, alarm["AlarmName"]


def test_the_database_is_reached_by_its_name_and_every_secret_is_there(there: Deployed) -> None:
    (cluster,) = there.client("rds").describe_db_clusters()["DBClusters"]
    assert cluster["StorageEncrypted"]
    assert cluster["DeletionProtection"]
    ecs, secrets = there.client("ecs"), there.client("secretsmanager")
    for arn in ecs.list_task_definitions()["taskDefinitionArns"]:
        task = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for container in task["containerDefinitions"]:
            told = {pair["name"]: pair["value"] for pair in container["environment"]}
            if "STUDIO_DATABASE_URL" in told:
                assert cluster["Endpoint"] in told["STUDIO_DATABASE_URL"]
            for secret in container.get("secrets", []):
                name, field, *_ = [*secret["valueFrom"].split("::")[0].rsplit(":", 1), ""]
                known = secrets.list_secrets()["SecretList"]
                assert any(secret["valueFrom"].startswith(one["ARN"]) for one in known), (name, field)
