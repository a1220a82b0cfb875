"""The product's own measures, as CloudWatch knows them (kit/telemetry/metrics_log.py)."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.profiles import Profile

OPEN_STREAMS = "open_streams"
SLOTS_USED = "slots_used"
WORK_WAITING = "work_waiting"
FIRST_TOKEN = "time_to_first_token"  # noqa: S105 - a token of text
TOKEN_AGE = "token_age"  # noqa: S105

DIMENSIONS: dict[str, dict[str, str]] = {
    OPEN_STREAMS: {"service": "edge"},
    SLOTS_USED: {"service": "inference"},
    WORK_WAITING: {"service": "inference"},
    FIRST_TOKEN: {"service": "edge", "hop": "edge"},
    TOKEN_AGE: {"service": "edge", "hop": "edge"},
}
"""Which process writes each of them, and about what."""


def namespace(profile: Profile) -> str:
    """Two profiles in one account do not mix."""
    return f"AIStudio/{profile.name}"


def measure(profile: Profile, name: str, statistic: str, seconds: int = 60) -> cloudwatch.Metric:
    """One of them; less than 60 s is for what decides about scaling."""
    return cloudwatch.Metric(
        namespace=namespace(profile),
        metric_name=name,
        dimensions_map=DIMENSIONS[name],
        statistic=statistic,
        period=Duration.seconds(seconds),
    )
