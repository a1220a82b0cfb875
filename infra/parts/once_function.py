"""Runs in AWS Lambda: starts a task, waits for its end, tells CloudFormation. (4096 bytes at most.)"""

import os
import time
from typing import Any

import boto3
import cfnresponse

POLL_SECONDS = 5


def handler(event: dict[str, Any], context: Any) -> None:
    """A request of CloudFormation's. Deleting the stack starts nothing."""
    ident = event.get("PhysicalResourceId") or "once"
    try:
        if event["RequestType"] != "Delete" and not going_back(event["StackId"]):
            run(event["ResourceProperties"])
    except Exception as error:
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, ident, reason=str(error)[:1000])
    else:
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, ident)


def going_back(stack: str) -> bool:
    """Whether a failed deployment is undone: the version before needs nothing that it did not have."""
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in found["StackStatus"]


def run(wanted: dict[str, Any]) -> None:
    """Raises RuntimeError if it did not start, did not end in time, or failed."""
    ecs = boto3.client("ecs")
    started = ecs.run_task(
        cluster=wanted["Cluster"],
        taskDefinition=wanted["TaskDefinition"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": wanted["Subnets"],
                "securityGroups": wanted["SecurityGroups"],
                "assignPublicIp": wanted["PublicAddress"],
            }
        },
    )
    if not started["tasks"]:
        raise RuntimeError(f"the task was not started: {started['failures']}")
    arn = started["tasks"][0]["taskArn"]
    until = time.monotonic() + float(os.environ["LONGEST_SECONDS"])
    while time.monotonic() < until:
        (task,) = ecs.describe_tasks(cluster=wanted["Cluster"], tasks=[arn])["tasks"]
        if task["lastStatus"] == "STOPPED":
            codes = [container.get("exitCode") for container in task["containers"]]
            if codes != [0]:
                raise RuntimeError(f"the task failed ({codes}, {task.get('stoppedReason')}); see the log of {arn}")
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"the task does not end: {arn}")
