"""Where we do not do what cdk-nag (AwsSolutions) and CloudFormation's own rules ask, and why.

An exception covers one finding in one stack; whatever else is found there fails the test, and so does an exception that
nothing needs any more.
"""

import aws_cdk as cdk

_POLICIES = "arn:<AWS::Partition>:iam::aws:policy"
_ACCOUNT = "<AWS::AccountId>"

_SETTINGS = "These are settings. Secrets come from Secrets Manager (tests/infra/test_hardening.py)."
_NO_RESOURCE = "ecr:GetAuthorizationToken and ecs:DiscoverPollEndpoint know no resource (tests/infra/test_rights.py)."
_ZONES = "Named zones are what makes a template without asking an account; docs/aws.md says how to choose others."

REASONS: dict[str, dict[str, str]] = {
    "Data": {
        "AwsSolutions-SMG4": "The services are told their password once, when they start, and open connections all "
        "the time: one that changed by itself would lock them out until each is started anew. It is changed by hand "
        "(docs/aws.md). The administrator's changes by itself. The keys of providers are theirs to change.",
        "AwsSolutions-RDS10": "Only dev may be deleted; small and prod are protected.",
    },
    "Registry": {"AwsSolutions-IAM5[Resource::*]": _NO_RESOURCE},
    "Messaging": {
        "CloudFormation-Validate::W3010": _ZONES,
        "AwsSolutions-ECS2": _SETTINGS,
        "AwsSolutions-ECS4": "Container Insights cost more than the tasks of dev and small; prod has them.",
        "AwsSolutions-AS3": "A group of one instance, whose absence is an alarm (Runs-nats-…).",
        f"AwsSolutions-IAM4[Policy::{_POLICIES}/AmazonSSMManagedInstanceCore]": "The way to an instance without SSH. "
        "AWS keeps it as narrow as its agent allows.",
        "AwsSolutions-IAM5[Resource::*]": _NO_RESOURCE,
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:{_ACCOUNT}:instance/*]": "The id of an "
        "instance is known when it runs. A condition names the tag of this node's own.",
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:{_ACCOUNT}:container-instance/"
        "<ClusterEB0386A7>/*]": "Ids come to be when instances join. The cluster is named, and a condition as well.",
    },
    "Services": {
        "AwsSolutions-ECS2": _SETTINGS,
        "AwsSolutions-ELB2": "Requests are counted by CloudWatch and traced by the edge. A line for each would hold "
        "run ids and addresses of people, and would have to be kept and deleted.",
        "AwsSolutions-EC23": "The balancer is what people reach.",
        f"AwsSolutions-IAM4[Policy::{_POLICIES}/AmazonECSInfrastructureRolePolicyForLoadBalancers]": "ECS moves the "
        "weights of a canary with it. The policy is AWS's own for exactly that.",
        "AwsSolutions-IAM5[Resource::*]": _NO_RESOURCE,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0]": (
            "Amazon serves a `global.` model in any region. The model is named."
        ),
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:{{region}}:{_ACCOUNT}:task/"
        "{prefix}-Messaging:ExportsOutputRefClusterEB0386A796A0E3FE/*]": "A task's id is known when it runs. The "
        "cluster is named, and a condition as well.",
    },
    "Workflow": {
        "AwsSolutions-ECS2": _SETTINGS,
        "AwsSolutions-SMG4": "A signed token, which ends by itself; docs/aws.md says how to put a new one there.",
        "AwsSolutions-S1": "What is read and written here is logged by the executions.",
        "AwsSolutions-IAM5[Resource::*]": "Delivering logs and traces knows no resource (tests/infra/test_rights.py).",
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:{_ACCOUNT}:task-definition/"
        "{prefix}-Workflow:*]": "Its own task, in whatever revision is the newest when an attempt begins.",
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:{_ACCOUNT}:task/"
        "{prefix}-Messaging:ExportsOutputRefClusterEB0386A796A0E3FE/*]": "A task's id is known when it runs. The "
        "cluster is named, and a condition as well.",
        "AwsSolutions-IAM5[Resource::<Results25575328.Arn>/checkpoints/*]": "One file for each execution.",
        "AwsSolutions-IAM5[Resource::<Results25575328.Arn>/results/*]": "One file for each execution.",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
        "<Machine6FC8AE80.Name>:*]": "The executions of this state machine; their names come to be when they start.",
    },
}
"""By stack and finding; `{prefix}` and `{region}` are put in."""


def acknowledge(stack: cdk.Stack, name: str, *, prefix: str, region: str) -> None:
    """Say why, so that a finding is none."""
    for finding, reason in REASONS.get(name, {}).items():
        rule = finding.replace("{prefix}", prefix).replace("{region}", region)
        cdk.Validations.of(stack).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
