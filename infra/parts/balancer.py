"""The load balancer: the only thing that the internet reaches, and where a canary gets its share."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.choices import Choices
from infra.parts.environment import EDGE_PORT
from infra.profiles import Profile
from infra.timeouts import CLIENT_KEEP_ALIVE_SECONDS, DEREGISTRATION_SECONDS, IDLE_SECONDS

TEST_PORT = 9443
EVERYTHING = ["/*"]
RULE_PRIORITY = 10


@dataclass(frozen=True)
class Balancer:
    """A balancer whose production rule shares traffic between two target groups, the old and the new edges."""

    balancer: elb.ApplicationLoadBalancer
    group: ec2.SecurityGroup
    blue: elb.ApplicationTargetGroup
    green: elb.ApplicationTargetGroup
    production: elb.ApplicationListenerRule
    test: elb.ApplicationListenerRule

    def serve(self, edge: ecs.FargateService) -> None:
        """Send requests to the edges, and to nobody else."""
        alternate = ecs.AlternateTarget(
            "Alternate",
            alternate_target_group=self.green,
            production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(self.production),
            test_listener=ecs.ListenerRuleConfiguration.application_listener_rule(self.test),
        )
        target = edge.load_balancer_target(container_name="edge", container_port=EDGE_PORT, alternate_target=alternate)
        target.attach_to_application_target_group(self.blue)
        edge.connections.allow_from(self.group, ec2.Port.tcp(EDGE_PORT), "The balancer")
        self.group.connections.allow_to(edge, ec2.Port.tcp(EDGE_PORT), "The edges")


def add_balancer(scope: Construct, vpc: ec2.IVpc, profile: Profile, choices: Choices) -> Balancer:
    """A balancer with two target groups. With a certificate it speaks HTTPS, and HTTP only to say so."""
    group = ec2.SecurityGroup(scope, "Balancer", vpc=vpc, allow_all_outbound=False, description="The balancer")
    balancer = elb.ApplicationLoadBalancer(
        scope,
        "LoadBalancer",
        vpc=vpc,
        internet_facing=True,
        security_group=group,
        idle_timeout=Duration.seconds(IDLE_SECONDS),
        client_keep_alive=Duration.seconds(CLIENT_KEEP_ALIVE_SECONDS),
        http2_enabled=True,
        drop_invalid_header_fields=True,
        deletion_protection=profile.protected,
        xff_header_processing_mode=elb.XffHeaderProcessingMode.APPEND,
    )
    blue, green = (_targets(scope, name, vpc) for name in ("Blue", "Green"))
    listener = _listener(balancer, group, choices)
    production = elb.ApplicationListenerRule(
        scope,
        # ECS moves the weights of this rule. Whatever changes its text in the template sets them back to these, and
        # may send everybody to a group in which nobody is (aws-cdk #36649): a test keeps the text.
        "Production",
        listener=listener,
        priority=RULE_PRIORITY,
        conditions=[elb.ListenerCondition.path_patterns(EVERYTHING)],
        action=elb.ListenerAction.weighted_forward(
            [
                elb.WeightedTargetGroup(target_group=blue, weight=100),
                elb.WeightedTargetGroup(target_group=green, weight=0),
            ]
        ),
    )
    # Nobody reaches it until somebody opens the group: for a look at the new edges before they get traffic.
    trial = balancer.add_listener(
        "Trial",
        port=TEST_PORT,
        protocol=elb.ApplicationProtocol.HTTP,
        open=False,
        default_action=elb.ListenerAction.fixed_response(404),
    )
    test = elb.ApplicationListenerRule(
        scope,
        "Test",
        listener=trial,
        priority=RULE_PRIORITY,
        conditions=[elb.ListenerCondition.path_patterns(EVERYTHING)],
        action=elb.ListenerAction.forward([green]),
    )
    return Balancer(balancer, group, blue, green, production, test)


def _listener(
    balancer: elb.ApplicationLoadBalancer, group: ec2.SecurityGroup, choices: Choices
) -> elb.ApplicationListener:
    nothing = elb.ListenerAction.fixed_response(404)
    group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "People")
    if not choices.certificate:
        return balancer.add_listener("Plain", port=80, open=False, default_action=nothing)
    group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "People")
    balancer.add_listener(
        "Redirect",
        port=80,
        open=False,
        default_action=elb.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
    )
    return balancer.add_listener(
        "Secure",
        port=443,
        open=False,
        certificates=[elb.ListenerCertificate.from_arn(choices.certificate)],
        ssl_policy=elb.SslPolicy.TLS13_RES,
        default_action=nothing,
    )


def _targets(scope: Construct, name: str, vpc: ec2.IVpc) -> elb.ApplicationTargetGroup:
    return elb.ApplicationTargetGroup(
        scope,
        name,
        vpc=vpc,
        port=EDGE_PORT,
        protocol=elb.ApplicationProtocol.HTTP,
        protocol_version=elb.ApplicationProtocolVersion.HTTP1,
        target_type=elb.TargetType.IP,
        deregistration_delay=Duration.seconds(DEREGISTRATION_SECONDS),
        # Round robin piles long streams up. No stickiness: any edge serves any client, by its cursor.
        load_balancing_algorithm_type=elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
        health_check=elb.HealthCheck(
            path="/healthz",
            interval=Duration.seconds(5),
            timeout=Duration.seconds(3),
            healthy_threshold_count=2,
            unhealthy_threshold_count=2,
        ),
    )
