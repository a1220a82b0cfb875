"""What is looked at: alarms on everything that runs, and one dashboard."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.choices import Choices
from infra.parts.alarm import MINUTE, Missing, add_alarm
from infra.parts.budget import add_budget
from infra.parts.canary import error_rate
from infra.parts.down import add_down, no_majority, rises
from infra.parts.measure import FIRST_TOKEN, OPEN_STREAMS, SLOTS_USED, TOKEN_AGE, WORK_WAITING, measure
from infra.profiles import Profile
from infra.stacks.data import DataStack
from infra.stacks.messaging import MessagingStack
from infra.stacks.network import NetworkStack
from infra.stacks.services import ServicesStack

TOKEN_AGE_SECONDS = 0.25
WAITING_MINUTES = 5
DATABASE_PERCENT = 90
NOT_NEEDED = ("edge", "notifier")
"""To say that people get no answers: edges are looked for by the balancer itself, and a mail may come later."""


class ObservabilityStack(Stack):
    """Stands on all others; nothing stands on it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        profile: Profile,
        choices: Choices,
        network: NetworkStack,
        data: DataStack,
        messaging: MessagingStack,
        services: ServicesStack,
        **rest: object,
    ) -> None:
        super().__init__(scope, name, **rest)
        self._profile, self._topic = profile, network.alarms
        running = self._all_run(messaging, services)
        self._product(profile)
        add_alarm(
            self,
            "DatabaseFull",
            data.database.metric_acu_utilization(period=MINUTE, statistic="Average"),
            DATABASE_PERCENT,
            self._topic,
            periods=10,
            says="The database is at the greatest size it may have (database_most_acu).",
        )
        nodes = [running[name] for name in messaging.nodes]
        rules = [rises(alarm) for alarm in (*services.unserved, *self._none_runs(services, running))]
        add_down(self, [*rules, no_majority(nodes)], self._topic)
        add_budget(self, profile, choices, self._topic)
        self._undone(messaging.cluster)
        self._dashboard(services, data)

    def _all_run(self, messaging: MessagingStack, services: ServicesStack) -> dict[str, cloudwatch.Alarm]:
        wanted = {name: (service, self._profile.task(name).least) for name, service in services.services.items()}
        wanted |= {name: (service, 1) for name, service in messaging.nodes.items()}
        return {name: self._runs("Runs", name, service, least) for name, (service, least) in wanted.items()}

    def _none_runs(self, services: ServicesStack, running: dict[str, cloudwatch.Alarm]) -> list[cloudwatch.Alarm]:
        """For each service without which there are no answers, the alarm that says that none of it is left."""
        needed = {name: service for name, service in services.services.items() if name not in NOT_NEEDED}
        return [
            running[name] if self._profile.task(name).least == 1 else self._runs("None", name, service, 1)
            for name, service in needed.items()
        ]

    def _runs(self, kind: str, name: str, service: ecs.BaseService, least: int) -> cloudwatch.Alarm:
        return add_alarm(
            self,
            f"{kind}-{name}",
            # Each task reports once in a minute: the number of reports is the number of tasks.
            service.metric_cpu_utilization(period=MINUTE, statistic="SampleCount"),
            least,
            self._topic,
            periods=3,
            below=True,
            missing=Missing.BREACHING,
            says=f"Fewer than {least} of {name} run. See its events in ECS, and its log.",
        )

    def _product(self, profile: Profile) -> None:
        add_alarm(
            self,
            "TokensLate",
            measure(profile, TOKEN_AGE, "p99"),
            TOKEN_AGE_SECONDS,
            self._topic,
            periods=5,
            says="Tokens take too long from the model to the edge: NATS or the edges have too much to do.",
        )
        add_alarm(
            self,
            "WorkWaits",
            measure(profile, WORK_WAITING, "Minimum"),
            1,
            self._topic,
            periods=WAITING_MINUTES,
            says="Requests wait although workers were added: the greatest number, Spot capacity, or a slow provider.",
        )

    def _undone(self, cluster: ecs.Cluster) -> None:
        """Say that a deployment failed or was taken back; ECS says it as an event only."""
        rule = events.Rule(
            self,
            "DeploymentFailed",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Deployment State Change"],
                resources=events.Match.prefix(
                    f"arn:{self.partition}:ecs:{self.region}:{self.account}:service/{cluster.cluster_name}/"
                ),
                detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
            ),
        )
        rule.add_target(targets.SnsTopic(self._topic))

    def _dashboard(self, services: ServicesStack, data: DataStack) -> None:
        def graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
            return cloudwatch.GraphWidget(title=title, left=list(metrics), width=12, height=6)

        profile = self._profile
        tokens = [measure(profile, FIRST_TOKEN, statistic) for statistic in ("p50", "p95", "p99")]
        ages = [measure(profile, TOKEN_AGE, statistic) for statistic in ("p50", "p95", "p99")]
        every = services.services.values()
        board = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=f"ai-studio-{profile.name}", default_interval=Duration.hours(6)
        )
        board.add_widgets(graph("Time to first token (s)", *tokens), graph("Age of a token at the edge (s)", *ages))
        board.add_widgets(
            graph(
                "Open streams of an edge",
                measure(profile, OPEN_STREAMS, "Average"),
                measure(profile, OPEN_STREAMS, "Maximum"),
            ),
            graph("Errors (%)", error_rate(services.balancer.balancer)),
        )
        board.add_widgets(
            graph("Work that waits", measure(profile, WORK_WAITING, "Maximum")),
            graph("Slots in use (%)", measure(profile, SLOTS_USED, "Average")),
        )
        board.add_widgets(
            graph("Processor (%)", *(service.metric_cpu_utilization() for service in every)),
            graph("Memory (%)", *(service.metric_memory_utilization() for service in every)),
        )
        board.add_widgets(
            graph("Database (ACU)", data.database.metric_serverless_database_capacity()),
            graph("Tasks", *(service.metric_cpu_utilization(statistic="SampleCount") for service in every)),
        )
