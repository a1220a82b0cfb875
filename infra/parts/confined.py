"""What a container may not do."""

from aws_cdk import Size
from aws_cdk import aws_ecs as ecs
from constructs import Construct

TMP_MIB = 64
"""Of memory, for what a library must write somewhere: an upload before it is read."""


def confine(scope: Construct, name: str = "Linux") -> ecs.LinuxParameters:
    """No capability, and no place to write but a small /tmp that is memory. Fargate has that since 2026."""
    linux = ecs.LinuxParameters(scope, name)
    linux.drop_capabilities(ecs.Capability.ALL)
    linux.add_tmpfs(
        ecs.Tmpfs(
            container_path="/tmp",  # noqa: S108 - it is the mount itself
            size=TMP_MIB,
            mount_options=[ecs.TmpfsMountOption.NOSUID, ecs.TmpfsMountOption.NODEV, ecs.TmpfsMountOption.NOEXEC],
        )
    )
    return linux


BUFFER = Size.mebibytes(4)
"""Of log lines that CloudWatch does not take yet; more are dropped, for a log must not hold up an answer."""
