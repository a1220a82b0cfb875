"""One alarm for "people get no answers": the one to be woken for. The others say why, or that it comes near."""

from collections.abc import Sequence
from itertools import combinations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


def rises(alarm: cloudwatch.IAlarm) -> cloudwatch.IAlarmRule:
    """When that alarm does."""
    return cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)


def no_majority(nodes: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    """So many of the NATS nodes are gone that the others may not write."""
    lost = (len(nodes) + 1) // 2
    together = [cloudwatch.AlarmRule.all_of(*map(rises, some)) for some in combinations(nodes, lost)]
    return cloudwatch.AlarmRule.any_of(*together)


def add_down(scope: Construct, rules: Sequence[cloudwatch.IAlarmRule], topic: sns.ITopic) -> None:
    """It rises when any of the rules holds."""
    down = cloudwatch.CompositeAlarm(
        scope,
        "Down",
        alarm_rule=cloudwatch.AlarmRule.any_of(*rules),
        alarm_description="People get no answers. The alarms that are up beside this one say why.",
    )
    down.add_alarm_action(actions.SnsAction(topic))
    down.add_ok_action(actions.SnsAction(topic))
