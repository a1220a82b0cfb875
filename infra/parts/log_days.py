"""How long logs are kept, in CDK's words."""

from aws_cdk import aws_logs as logs

_DAYS = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
}


def retention(days: int) -> logs.RetentionDays:
    """CloudWatch knows some lengths only. Raises KeyError for another one."""
    return _DAYS[days]
