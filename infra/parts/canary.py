"""How a new version of the edge gets its traffic: a tenth first, and back at once when it does worse."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parts.alarm import MINUTE, Missing, add_alarm
from infra.parts.balancer import Balancer
from infra.parts.measure import FIRST_TOKEN, measure
from infra.profiles import Profile

SHARE_PERCENT = 10
SHARE_MINUTES = 10
BAKE_MINUTES = 15
"""With all traffic at the new edges, while the old ones still run: going back is a change of weights."""

LEAST_REQUESTS = 20
"""In a minute; below that one error would be a rate."""
ERROR_PERCENT = 1
FIRST_TOKEN_SECONDS = 2.0
"""The slowest twentieth, the model's own time included."""


def strategy() -> dict[str, Any]:
    """What makes a service deploy like this."""
    return {
        "deployment_strategy": ecs.DeploymentStrategy.CANARY,
        "canary_configuration": ecs.TrafficShiftConfig(
            step_percent=SHARE_PERCENT, step_bake_time=Duration.minutes(SHARE_MINUTES)
        ),
        "bake_time": Duration.minutes(BAKE_MINUTES),
    }


def watch(
    scope: Construct, edge: ecs.FargateService, balancer: Balancer, profile: Profile, topic: sns.ITopic
) -> tuple[cloudwatch.Alarm, ...]:
    """Alarms that take a deployment of the edge back. They look at both target groups: ECS swaps their roles.

    Returned are those that rise when people are not served.
    """
    errors = add_alarm(
        scope,
        "EdgeErrors",
        error_rate(balancer.balancer),
        ERROR_PERCENT,
        topic,
        says="More than 1 % of the requests end in a 5xx. During a deployment it is taken back by itself.",
    )
    slow = add_alarm(
        scope,
        "FirstTokenSlow",
        measure(profile, FIRST_TOKEN, "p95"),
        FIRST_TOKEN_SECONDS,
        topic,
        periods=2,
        of=3,
        says="The first token takes too long: a slow model, waiting work (work_waiting), or a new version.",
    )
    unhealthy = add_alarm(
        scope,
        "EdgeUnhealthy",
        cloudwatch.MathExpression(
            expression="MAX([blue, green])",
            period=MINUTE,
            using_metrics={
                "blue": balancer.blue.metrics.unhealthy_host_count(period=MINUTE, statistic="Maximum"),
                "green": balancer.green.metrics.unhealthy_host_count(period=MINUTE, statistic="Maximum"),
            },
        ),
        1,
        topic,
        periods=3,
        says="An edge does not answer its health check.",
    )
    edge.enable_deployment_alarms(
        [alarm.alarm_name for alarm in (errors, slow, unhealthy)], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )
    return errors, _nobody(scope, balancer, topic)


def _nobody(scope: Construct, balancer: Balancer, topic: sns.ITopic) -> cloudwatch.Alarm:
    """No edge is there. It takes nothing back: the first deployment begins like this."""

    def healthy(group: elb.ApplicationTargetGroup) -> cloudwatch.IMetric:
        return group.metrics.healthy_host_count(period=MINUTE, statistic="Maximum")

    return add_alarm(
        scope,
        "NoEdge",
        cloudwatch.MathExpression(
            expression="MAX([FILL(blue, 0), FILL(green, 0)])",
            period=MINUTE,
            using_metrics={"blue": healthy(balancer.blue), "green": healthy(balancer.green)},
        ),
        1,
        topic,
        below=True,
        missing=Missing.BREACHING,
        says="No edge answers its health check: nobody is served. See the edge's events in ECS, and its log.",
    )


def error_rate(balancer: elb.ApplicationLoadBalancer) -> cloudwatch.MathExpression:
    """Of all requests, in percent; none while there are too few to tell."""
    return cloudwatch.MathExpression(
        expression=f"IF(asked >= {LEAST_REQUESTS}, 100 * (failed + unanswered) / asked, 0)",
        period=MINUTE,
        using_metrics={
            "failed": balancer.metrics.http_code_target(
                elb.HttpCodeTarget.TARGET_5XX_COUNT, period=MINUTE, statistic="Sum"
            ),
            "unanswered": balancer.metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE, statistic="Sum"),
            "asked": balancer.metrics.request_count(period=MINUTE, statistic="Sum"),
        },
    )
