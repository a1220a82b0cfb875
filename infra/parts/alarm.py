"""Alarms, each of which tells somebody."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

MINUTE = Duration.minutes(1)
Missing = cloudwatch.TreatMissingData


def add_alarm(
    scope: Construct,
    name: str,
    metric: cloudwatch.IMetric,
    threshold: float,
    topic: sns.ITopic,
    *,
    says: str,
    periods: int = 2,
    of: int | None = None,
    below: bool = False,
    missing: cloudwatch.TreatMissingData = Missing.NOT_BREACHING,
) -> cloudwatch.Alarm:
    """An alarm when `metric` is at `threshold` or beyond in `periods` (of `of`) periods. `says`: what to do."""
    comparison = cloudwatch.ComparisonOperator
    alarm = cloudwatch.Alarm(
        scope,
        name,
        metric=metric,
        threshold=threshold,
        evaluation_periods=of or periods,
        datapoints_to_alarm=periods,
        comparison_operator=(
            comparison.LESS_THAN_THRESHOLD if below else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        treat_missing_data=missing,
        alarm_description=says,
    )
    alarm.add_alarm_action(actions.SnsAction(topic))
    return alarm
