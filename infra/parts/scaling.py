"""More tasks within a minute, fewer only when all agree.

Growing is decided by alarms of 60 s at most, each for a thing that runs out. Shrinking is one alarm per service, over
many minutes and about everything at once: an edge with many silent streams has an idle processor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as applicationautoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.profiles import Task

LONGEST_DECISION_SECONDS = 60
OUT_COOLDOWN_SECONDS = 30
IN_COOLDOWN_SECONDS = 300
IN_MINUTES = 15
SHARP_SECONDS = 20
"""The resolution of ECS's own measures where a service asks for it; usually it is a minute."""


@dataclass(frozen=True)
class Step:
    """From `at` on there are so many percent more tasks, one at least."""

    at: float
    percent: int


class Scaled:
    """A service with a least and a greatest number of tasks, and rules between them."""

    def __init__(self, service: ecs.FargateService, task: Task) -> None:
        self.service = service
        self._count = service.auto_scale_task_count(min_capacity=task.least, max_capacity=task.most)
        self._target: applicationautoscaling.ScalableTarget = self._count.node.find_child("Target")
        # The scaling owns the number: a deployment must not set it back to the least.
        service.node.default_child.add_property_deletion_override("DesiredCount")

    def grow(self, name: str, metric: cloudwatch.IMetric, steps: Sequence[Step], *, periods: int) -> None:
        """More tasks when `metric` has been beyond the first step for so many of its periods."""
        action = self._action(name, OUT_COOLDOWN_SECONDS)
        first = steps[0].at
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            action.add_adjustment(
                adjustment=step.percent,
                lower_bound=step.at - first,
                upper_bound=after.at - first if after else None,
            )
        self._alarm(name, metric, first, periods, action)

    def shrink(self, when: str, metrics: dict[str, cloudwatch.IMetric]) -> None:
        """One task less when the condition has held for many minutes."""
        idle = cloudwatch.MathExpression(
            expression=f"IF({when}, 1, 0)", using_metrics=metrics, period=Duration.minutes(1), label="idle"
        )
        action = applicationautoscaling.StepScalingAction(
            self._scope("Shrink"),
            "Action",
            scaling_target=self._target,
            adjustment_type=applicationautoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            cooldown=Duration.seconds(IN_COOLDOWN_SECONDS),
        )
        action.add_adjustment(adjustment=-1, lower_bound=0)
        self._alarm("Shrink", idle, 1, IN_MINUTES, action)

    def track(self, *, cpu_percent: int, memory_percent: int) -> None:
        """More tasks by processor and memory, from measures of 20 s (of which ECS looks at three)."""
        self.service.node.default_child.monitoring = ecs.CfnService.MonitoringConfigurationProperty(
            metric_configurations=[
                ecs.CfnService.MetricConfigurationProperty(
                    metric_names=["CPUUtilization", "MemoryUtilization"], resolution_seconds=SHARP_SECONDS
                )
            ]
        )
        rest = {"scale_out_cooldown": Duration.seconds(OUT_COOLDOWN_SECONDS), "disable_scale_in": True}
        self._count.scale_on_cpu_utilization("Cpu", target_utilization_percent=cpu_percent, **rest)
        self._count.scale_on_memory_utilization("Memory", target_utilization_percent=memory_percent, **rest)
        for name, kind in (("Cpu", "CPU"), ("Memory", "Memory")):
            self._target.node.find_child(name).node.default_child.add_property_override(
                "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
                f"ECSServiceAverage{kind}UtilizationHighResolution",
            )

    def cpu(self, seconds: int = 60) -> cloudwatch.Metric:
        """The mean of its tasks, in percent."""
        return self.service.metric_cpu_utilization(period=Duration.seconds(seconds), statistic="Average")

    def memory(self, seconds: int = 60) -> cloudwatch.Metric:
        """The mean of its tasks, in percent."""
        return self.service.metric_memory_utilization(period=Duration.seconds(seconds), statistic="Average")

    def _scope(self, name: str) -> Construct:
        return Construct(self.service, f"Scale{name}")

    def _action(self, name: str, cooldown: int) -> applicationautoscaling.StepScalingAction:
        return applicationautoscaling.StepScalingAction(
            self._scope(name),
            "Action",
            scaling_target=self._target,
            adjustment_type=applicationautoscaling.AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
            cooldown=Duration.seconds(cooldown),
            min_adjustment_magnitude=1,
            metric_aggregation_type=applicationautoscaling.MetricAggregationType.MAXIMUM,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        periods: int,
        action: applicationautoscaling.StepScalingAction,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self.service,
            f"Scale{name}Alarm",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description="Decides about the number of tasks; nobody needs to do anything.",
        )
        alarm.add_alarm_action(actions.ApplicationScalingAction(action))
