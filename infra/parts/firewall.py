"""A fuse in front of the balancer. The exact limits are the application's."""

from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

PER_ADDRESS = 2_000
"""Requests in five minutes."""
PER_CALLER = 240
"""Requests in a minute with one `Authorization`."""
ONLY_COUNTED = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericRFI_BODY",
    "GenericLFI_BODY",
    "EC2MetaDataSSRF_BODY",
)
"""Rules that a prompt breaks by being long or by speaking of code."""


def add_firewall(scope: Construct, balancer: elb.ApplicationLoadBalancer) -> None:
    """It looks at requests only; streams pass it as they are."""
    firewall = waf.CfnWebACL(
        scope,
        "Firewall",
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=_seen("firewall"),
        rules=[
            _rate("address", 1, PER_ADDRESS, 300, aggregate_key_type="IP"),
            _rate("caller", 2, PER_CALLER, 60, aggregate_key_type="CUSTOM_KEYS", custom_keys=[_authorization()]),
            _known_attacks(3),
        ],
    )
    waf.CfnWebACLAssociation(
        scope, "FirewallOfBalancer", resource_arn=balancer.load_balancer_arn, web_acl_arn=firewall.attr_arn
    )


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _authorization() -> waf.CfnWebACL.RateBasedStatementCustomKeyProperty:
    return waf.CfnWebACL.RateBasedStatementCustomKeyProperty(
        header=waf.CfnWebACL.RateLimitHeaderProperty(
            name="authorization",
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _rate(name: str, priority: int, limit: int, seconds: int, **key: object) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        visibility_config=_seen(name),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                limit=limit, evaluation_window_sec=seconds, **key
            )
        ),
    )


def _known_attacks(priority: int) -> waf.CfnWebACL.RuleProperty:
    counted = [
        waf.CfnWebACL.RuleActionOverrideProperty(name=name, action_to_use=waf.CfnWebACL.RuleActionProperty(count={}))
        for name in ONLY_COUNTED
    ]
    return waf.CfnWebACL.RuleProperty(
        name="known",
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_seen("known"),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name="AWSManagedRulesCommonRuleSet", rule_action_overrides=counted
            )
        ),
    )
