"""Alarms, scaling, workflows, and what runs once."""

import json
import re
from inspect import signature
from typing import Any

from botocore.validate import validate_parameters
from moto.cloudformation.custom_model import CustomModel
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID

from tests.infra.cloud.types import Made, Properties, client, register, without

CONFIGURATIONS = ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")


def alarm(name: str, properties: Properties, region: str) -> Made:
    wanted = without(properties)
    wanted.setdefault("AlarmName", name)
    cloudwatch = client("cloudwatch", region)
    cloudwatch.put_metric_alarm(**wanted)
    (made,) = cloudwatch.describe_alarms(AlarmNames=[wanted["AlarmName"]])["MetricAlarms"]
    return made["AlarmName"], {"Arn": made["AlarmArn"]}


def composite(name: str, properties: Properties, region: str) -> Made:
    """moto keeps them, and has no call that makes them: boto3's check of the call is done here."""
    cloudwatch, wanted = client("cloudwatch", region), without(properties)
    wanted.setdefault("AlarmName", name)
    validate_parameters(wanted, cloudwatch.meta.service_model.operation_model("PutCompositeAlarm").input_shape)
    known = {alarm["AlarmArn"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    parts = set(re.findall(r'ALARM\("([^"]+)"\)', wanted["AlarmRule"]))
    if not parts or parts - known:
        raise ValueError(f"{name} is made of alarms that there are not: {parts - known}")
    settings = dict.fromkeys(signature(CloudWatchBackend.put_metric_alarm).parameters.keys() - {"self"})
    settings |= {"name": wanted["AlarmName"], "rule": wanted["AlarmRule"], "dimensions": [], "actions_enabled": True}
    settings |= {"alarm_actions": wanted["AlarmActions"], "ok_actions": wanted.get("OKActions", [])}
    made = cloudwatch_backends[DEFAULT_ACCOUNT_ID][region].put_metric_alarm(**settings)
    return made.name, {"Arn": made.alarm_arn}


def budget(name: str, properties: Properties, region: str) -> Made:
    wanted = {key: properties[key] for key in ("Budget", "NotificationsWithSubscribers")}
    wanted["Budget"]["BudgetLimit"]["Amount"] = str(wanted["Budget"]["BudgetLimit"]["Amount"])  # as the API has it
    for told in wanted["NotificationsWithSubscribers"]:
        told["Notification"]["Threshold"] = float(told["Notification"]["Threshold"])
    client("budgets", region).create_budget(AccountId=DEFAULT_ACCOUNT_ID, **wanted)
    return wanted["Budget"]["BudgetName"], {}


def subscription(name: str, properties: Properties, region: str) -> Made:
    wanted = without(properties)
    return client("sns", region).subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"], {}


def topic_policy(name: str, properties: Properties, region: str) -> Made:
    document = json.dumps(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        client("sns", region).set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    return name, {}


def target(name: str, properties: Properties, region: str) -> Made:
    client("application-autoscaling", region).register_scalable_target(
        ServiceNamespace=properties["ServiceNamespace"],
        ResourceId=properties["ResourceId"],
        ScalableDimension=properties["ScalableDimension"],
        MinCapacity=int(properties["MinCapacity"]),
        MaxCapacity=int(properties["MaxCapacity"]),
    )
    return "|".join(properties[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")), {}


def policy(name: str, properties: Properties, region: str) -> Made:
    resource, dimension, namespace = properties["ScalingTargetId"].split("|")
    made = client("application-autoscaling", region).put_scaling_policy(
        PolicyName=properties["PolicyName"],
        PolicyType=properties["PolicyType"],
        ServiceNamespace=namespace,
        ResourceId=resource,
        ScalableDimension=dimension,
        **{key: properties[key] for key in CONFIGURATIONS if key in properties},
    )
    return made["PolicyARN"], {"Arn": made["PolicyARN"]}


def state_machine(name: str, properties: Properties, region: str) -> Made:
    """moto's own does not run."""
    made = client("stepfunctions", region).create_state_machine(
        name=properties.get("StateMachineName", name),
        definition=properties["DefinitionString"],
        roleArn=properties["RoleArn"],
    )
    return made["stateMachineArn"], {"Arn": made["stateMachineArn"], "Name": made["stateMachineArn"].split(":")[-1]}


def once(cls: Any, name: str, resource: dict[str, Any], account_id: str, region_name: str, **more: Any) -> Any:
    """No container runs here. What the function would do with these properties: tests/infra/test_once.py."""
    asked = resource["Properties"]
    client("lambda", region_name).get_function(FunctionName=asked["ServiceToken"])
    client("ecs", region_name).describe_task_definition(taskDefinition=asked["TaskDefinition"])
    client("ec2", region_name).describe_subnets(SubnetIds=asked["Subnets"])
    client("ec2", region_name).describe_security_groups(GroupIds=asked["SecurityGroups"])
    made = CustomModel(region_name, "request", more["LogicalId"], name)
    made.set_data({})
    return made


def add() -> None:
    register("AWS::CloudWatch::Alarm", alarm)
    register("AWS::CloudWatch::CompositeAlarm", composite)
    register("AWS::Budgets::Budget", budget)
    register("AWS::SNS::Subscription", subscription)
    register("AWS::SNS::TopicPolicy", topic_policy)
    register("AWS::ApplicationAutoScaling::ScalableTarget", target)
    register("AWS::ApplicationAutoScaling::ScalingPolicy", policy)
    register("AWS::StepFunctions::StateMachine", state_machine)
    CustomModel.create_from_cloudformation_json = classmethod(once)  # type: ignore[assignment]
