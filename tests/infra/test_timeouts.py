"""The limits on the way of a stream fit each other, in the templates and in the edge."""

from infra.timeouts import (
    HEARTBEAT_SECONDS,
    KEEP_ALIVE_SECONDS,
    LONGEST_STOP_SECONDS,
    RETIREMENT_POLL_SECONDS,
    stop_timeout_seconds,
)
from kit.runtime.process import stop_seconds
from kit.settings import Settings
from services.edge import server
from services.edge.retiring import ANSWER_SECONDS
from services.edge.stream import RECONNECT_JITTER_MILLISECONDS
from tests.infra.synthesized import Synthesized, environment_of

HEARTBEATS_THAT_MAY_BE_LOST = 3


def attributes(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


def test_silence_on_a_stream_is_broken_long_before_the_balancer_closes_it(cloud: Synthesized) -> None:
    found = attributes(cloud.only("AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"])
    idle = int(found["idle_timeout.timeout_seconds"])
    assert idle > HEARTBEATS_THAT_MAY_BE_LOST * HEARTBEAT_SECONDS
    assert Settings().edge.heartbeat_seconds == HEARTBEAT_SECONDS
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_the_balancer_lets_go_of_a_connection_before_the_edge_does(cloud: Synthesized) -> None:
    found = attributes(cloud.only("AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"])
    assert int(found["idle_timeout.timeout_seconds"]) < server.KEEP_ALIVE_SECONDS == KEEP_ALIVE_SECONDS


def test_an_edge_that_goes_may_finish_its_streams(cloud: Synthesized) -> None:
    for group in cloud.named("AWS::ElasticLoadBalancingV2::TargetGroup").values():
        found = attributes(group["TargetGroupAttributes"])
        assert 300 <= int(found["deregistration_delay.timeout_seconds"]) <= 3600
        assert found["stickiness.enabled"] == "false"  # any edge serves any client
        assert found["load_balancing.algorithm.type"] == "least_outstanding_requests"
        assert group["ProtocolVersion"] == "HTTP1"


def test_an_edge_that_goes_sends_on_who_can_go_long_before_its_connections_are_cut(cloud: Synthesized) -> None:
    """Out of the balancer, then asked (poll), then told one after the other (drain), then back after the jitter."""
    told = environment_of(cloud.containers()["edge"])
    assert float(told["STUDIO_EDGE_RETIREMENT_POLL_SECONDS"]) == RETIREMENT_POLL_SECONDS > 0
    edge = Settings().edge
    sent_on = RETIREMENT_POLL_SECONDS + 2 * ANSWER_SECONDS + edge.drain_seconds + RECONNECT_JITTER_MILLISECONDS / 1000
    for group in cloud.named("AWS::ElasticLoadBalancingV2::TargetGroup").values():
        assert 10 * sent_on < int(attributes(group["TargetGroupAttributes"])["deregistration_delay.timeout_seconds"])


def test_at_the_end_of_it_there_is_time_for_the_drain_and_for_closing(cloud: Synthesized) -> None:
    edge = Settings().edge
    stopped = stop_seconds(Settings())
    assert edge.drain_seconds + server.STOP_SECONDS < stopped
    for name, container in cloud.containers().items():
        assert stopped < container["StopTimeout"] == stop_timeout_seconds() <= LONGEST_STOP_SECONDS, name


def test_a_connection_to_a_model_that_thinks_is_kept_from_being_forgotten(cloud: Synthesized) -> None:
    for name, container in cloud.containers().items():
        controls = {one["Namespace"]: int(one["Value"]) for one in container["SystemControls"]}
        assert controls["net.ipv4.tcp_keepalive_time"] < 350, name
