"""When each service gets more tasks, and when fewer. Why not everything at 80 %: docs/adr/0025."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb

from infra.parts.balancer import Balancer
from infra.parts.measure import OPEN_STREAMS, SLOTS_USED, WORK_WAITING, measure
from infra.parts.scaling import Scaled, Step
from infra.profiles import Profile

CPU_UNITS = 256
STREAMS_PER_QUARTER_CORE = 200
"""Of an edge: open streams per 256 CPU units, at which another edge is started."""
REQUESTS_PER_QUARTER_CORE = 3_000
"""Of an edge, in a minute."""
SLOTS_PER_QUARTER_CORE = 100
"""Of a worker: generations at the same time per 256 CPU units."""

EDGE_CPU, EDGE_MEMORY = 60, 75
WORKER_CPU, WORKER_MEMORY = 70, 80
SLOTS_PERCENT = 80
"""The scarce thing of a worker, which waits for models nearly all the time."""
USUAL_CPU = USUAL_MEMORY = 70
IDLE_CPU = 30
QUICK_SECONDS = 10


def scale_edge(edge: ecs.FargateService, balancer: Balancer, profile: Profile) -> None:
    """By processor, memory, requests and open streams."""
    task = profile.task("edge")
    quarters = task.cpu / CPU_UNITS
    streams = STREAMS_PER_QUARTER_CORE * quarters
    scaled = Scaled(edge, task)
    scaled.track(cpu_percent=EDGE_CPU, memory_percent=EDGE_MEMORY)
    open_streams = measure(profile, OPEN_STREAMS, "Average", QUICK_SECONDS)
    scaled.grow("Streams", open_streams, [Step(streams, 50), Step(2 * streams, 100)], periods=2)
    requests = REQUESTS_PER_QUARTER_CORE * quarters
    scaled.grow("Requests", _requests(balancer), [Step(requests, 50), Step(2 * requests, 100)], periods=1)
    scaled.shrink(
        f"cpu < {IDLE_CPU} && FILL(streams, 0) < {streams / 2:.0f} && "
        f"FILL(blue, 0) + FILL(green, 0) < {requests / 2:.0f}",
        {
            "cpu": scaled.cpu(),
            "streams": measure(profile, OPEN_STREAMS, "Average"),
            **_per_target(balancer),
        },
    )


def scale_inference(worker: ecs.FargateService, profile: Profile) -> None:
    """By work that waits, used slots, processor and memory."""
    task = profile.task("inference")
    scaled = Scaled(worker, task)
    scaled.track(cpu_percent=WORKER_CPU, memory_percent=WORKER_MEMORY)
    # Workers take no more than they have slots: if anything waits, all are full.
    waiting = measure(profile, WORK_WAITING, "Maximum", QUICK_SECONDS)
    scaled.grow("Waiting", waiting, [Step(1, 50), Step(slots(task.cpu), 100)], periods=2)
    used = measure(profile, SLOTS_USED, "Average", QUICK_SECONDS)
    scaled.grow("Slots", used, [Step(SLOTS_PERCENT, 25)], periods=2)
    scaled.shrink(
        f"cpu < {IDLE_CPU} && FILL(used, 0) < {SLOTS_PERCENT / 2:.0f} && FILL(waiting, 0) < 1",
        {
            "cpu": scaled.cpu(),
            "used": measure(profile, SLOTS_USED, "Average"),
            "waiting": measure(profile, WORK_WAITING, "Maximum"),
        },
    )


def scale_usual(service: ecs.FargateService, profile: Profile, name: str) -> None:
    """By processor and memory, for services that are asked now and then."""
    scaled = Scaled(service, profile.task(name))
    scaled.grow("Cpu", scaled.cpu(), [Step(USUAL_CPU, 50), Step(90, 100)], periods=1)
    scaled.grow("Memory", scaled.memory(), [Step(USUAL_MEMORY, 50)], periods=1)
    scaled.shrink(f"cpu < {IDLE_CPU} && memory < {USUAL_MEMORY - 10}", {"cpu": scaled.cpu(), "memory": scaled.memory()})


def slots(cpu: int) -> int:
    """How many generations a worker of that size runs at the same time."""
    return SLOTS_PER_QUARTER_CORE * cpu // CPU_UNITS


def _per_target(balancer: Balancer) -> dict[str, cloudwatch.IMetric]:
    def one(group: elb.ApplicationTargetGroup) -> cloudwatch.IMetric:
        return group.metrics.request_count_per_target(period=Duration.minutes(1))

    return {"blue": one(balancer.blue), "green": one(balancer.green)}


def _requests(balancer: Balancer) -> cloudwatch.MathExpression:
    """Of each edge, in a minute; ECS swaps the target groups, and the one that is not in use counts nothing."""
    return cloudwatch.MathExpression(
        expression="FILL(blue, 0) + FILL(green, 0)", period=Duration.minutes(1), using_metrics=_per_target(balancer)
    )
