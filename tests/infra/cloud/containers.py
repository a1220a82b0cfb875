"""ECS: tasks, services, and what they run on."""

from tests.infra.cloud.types import Made, Properties, camel, client, register, without

NUMBERS = ("cpu", "memory", "memoryReservation", "stopTimeout")
UNKNOWN_TO_MOTO = (
    "EnableECSManagedTags",
    "PropagateTags",
    "VolumeConfigurations",
    "Monitoring",
    "HealthCheckGracePeriodSeconds",
    "AvailabilityZoneRebalancing",
    "DeploymentController",
)


def task_definition(name: str, properties: Properties, region: str) -> Made:
    wanted = camel(without(properties))
    for key in ("cpu", "memory"):
        if key in wanted:
            wanted[key] = str(wanted[key])
    for container, said in zip(wanted["containerDefinitions"], properties["ContainerDefinitions"], strict=True):
        container["logConfiguration"]["options"] = said["LogConfiguration"]["Options"]  # names, not keys
        container.update({key: int(container[key]) for key in NUMBERS if key in container})
        container.setdefault("memory", int(wanted.get("memory", 512)))  # moto wants it; Fargate does not
    wanted.setdefault("family", name)
    arn = client("ecs", region).register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def service(name: str, properties: Properties, region: str) -> Made:
    wanted = camel(without(properties, *UNKNOWN_TO_MOTO))
    wanted.setdefault("desiredCount", 1)
    wanted.setdefault("serviceName", name)
    made = client("ecs", region).create_service(**wanted)["service"]
    return made["serviceArn"], {"Name": made["serviceName"], "ServiceArn": made["serviceArn"]}


def capacity_provider(name: str, properties: Properties, region: str) -> Made:
    group = camel(properties)["autoScalingGroupProvider"]
    made = client("ecs", region).create_capacity_provider(name=name, autoScalingGroupProvider=group)
    return name, {"Arn": made["capacityProvider"]["capacityProviderArn"]}


def capacity_of_cluster(name: str, properties: Properties, region: str) -> Made:
    client("ecs", region).put_cluster_capacity_providers(
        cluster=properties["Cluster"],
        capacityProviders=properties["CapacityProviders"],
        defaultCapacityProviderStrategy=camel(properties["DefaultCapacityProviderStrategy"]),
    )
    return properties["Cluster"], {}


def add() -> None:
    register("AWS::ECS::TaskDefinition", task_definition)
    register("AWS::ECS::Service", service)
    register("AWS::ECS::CapacityProvider", capacity_provider)
    register("AWS::ECS::ClusterCapacityProviderAssociations", capacity_of_cluster)
