"""The graph: run the task until it says that it is done, keep the result, tell that it is there."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.parts.machine_role import CHECKPOINTS, RESULTS, machine_role
from infra.stacks.network import NetworkStack

RETRIES = 3
FIRST_RETRY_SECONDS = 5
LONGEST_DAYS = 2
HEARTBEATS_THAT_MAY_BE_LATE = 2
PASSING = ["States.HeartbeatTimeout", "States.Timeout", "Retryable", "ECS.AmazonECSException", "AmazonECS.Unknown"]
"""Errors after which another attempt may do better: it goes on with the same run."""
NAME = "$$.Execution.Name"


def add_state_machine(
    scope: Construct,
    name: str,
    *,
    cluster: ecs.ICluster,
    definition: ecs.FargateTaskDefinition,
    container: ecs.ContainerDefinition,
    group: ec2.ISecurityGroup,
    network: NetworkStack,
    bucket: s3.Bucket,
    ended: sns.ITopic,
    log: logs.ILogGroup,
    checkpoint_seconds: int,
) -> sfn.StateMachine:
    """InvokeModel → SaveResults → SendNotification; when one fails for good: SendFailure → Failed."""
    invoke = tasks.EcsRunTask(
        scope,
        "InvokeModel",
        cluster=cluster,
        task_definition=definition,
        security_groups=[group],
        subnets=network.selection(),
        assign_public_ip=network.public_addresses,
        launch_target=tasks.EcsFargateLaunchTarget(platform_version=ecs.FargatePlatformVersion.LATEST),
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        # The only thing that notices a dead task: each checkpoint is followed by a heartbeat.
        heartbeat_timeout=sfn.Timeout.duration(Duration.seconds(HEARTBEATS_THAT_MAY_BE_LATE * checkpoint_seconds)),
        task_timeout=sfn.Timeout.duration(Duration.days(LONGEST_DAYS)),
        result_path="$.invoked",
        container_overrides=[_told(container)],
    )
    invoke.add_retry(
        errors=PASSING,
        interval=Duration.seconds(FIRST_RETRY_SECONDS),
        backoff_rate=2,
        max_attempts=RETRIES,
        jitter_strategy=sfn.JitterType.FULL,
    )
    save = _save(scope, bucket)
    tell = _tell(scope, "SendNotification", ended, "completed", {"run_id": "$.invoked.run_id"})
    failed = _tell(scope, "SendFailure", ended, "failed", {"error": "$.failure.Error", "cause": "$.failure.Cause"})
    failed.next(sfn.Fail(scope, "Failed", error="WorkflowFailed", cause_path="$.failure.Cause"))
    for state in (invoke, save, tell):
        if state is not invoke:
            state.add_retry(errors=["States.ALL"], max_attempts=RETRIES, interval=Duration.seconds(2), backoff_rate=2)
        state.add_catch(failed, errors=["States.ALL"], result_path="$.failure")
    role = machine_role(scope, cluster, definition, bucket, ended)
    machine = sfn.StateMachine(
        scope,
        "Machine",
        role=role.without_policy_updates(),
        state_machine_name=name,
        definition_body=sfn.DefinitionBody.from_chainable(invoke.next(save).next(tell)),
        timeout=Duration.days(LONGEST_DAYS + 1),
        tracing_enabled=True,
        logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=False),
    )
    machine.node.add_dependency(role)
    return machine


def _told(container: ecs.ContainerDefinition) -> tasks.ContainerOverride:
    """What a task must know of the execution that it works for."""
    return tasks.ContainerOverride(
        container_definition=container,
        environment=[
            tasks.TaskEnvironmentVariable(name="STUDIO_WORKFLOW_TASK_TOKEN", value=sfn.JsonPath.task_token),
            tasks.TaskEnvironmentVariable(
                name="STUDIO_WORKFLOW_EXECUTION", value=sfn.JsonPath.string_at("$$.Execution.Id")
            ),
        ],
    )


def _save(scope: Construct, bucket: s3.Bucket) -> tasks.CallAwsService:
    """The last checkpoint has the result. It may be too long for a state, so S3 copies it from place to place."""
    source = sfn.JsonPath.format("{}/" + CHECKPOINTS + "/{}.json", bucket.bucket_name, sfn.JsonPath.string_at(NAME))
    return tasks.CallAwsService(
        scope,
        "SaveResults",
        service="s3",
        action="copyObject",
        parameters={
            "Bucket": bucket.bucket_name,
            "Key": sfn.JsonPath.format(RESULTS + "/{}.json", sfn.JsonPath.string_at(NAME)),
            "CopySource": source,
        },
        iam_resources=[bucket.arn_for_objects("*")],  # the role has what it needs (machine_role.py)
        result_path=sfn.JsonPath.DISCARD,
    )


def _tell(scope: Construct, name: str, topic: sns.ITopic, status: str, more: dict[str, str]) -> tasks.SnsPublish:
    said = {key: sfn.JsonPath.string_at(path) for key, path in more.items()}
    execution = sfn.JsonPath.string_at(NAME)
    if status == "completed":
        said["result"] = sfn.JsonPath.format(RESULTS + "/{}.json", execution)
    return tasks.SnsPublish(
        scope,
        name,
        topic=topic,
        message=sfn.TaskInput.from_object({"execution": execution, "status": status, **said}),
        result_path=sfn.JsonPath.DISCARD,
    )
