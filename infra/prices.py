"""List prices in USD, us-east-1, as remembered in November 2026. Look them up again before you decide by them."""

HOURS = 730
"""Of a month."""

FARGATE_CPU = 0.03238
"""ARM, for a core and an hour."""
FARGATE_GIB = 0.00356
SPOT = 0.30
"""Of the price of the same task on demand; it moves."""
INSTANCES = {"t4g.micro": 0.0084, "t4g.small": 0.0168}
GP3_GIB = 0.08
BALANCER = 0.0225
BALANCER_UNIT = 0.008
NAT_GATEWAY = 0.045
NAT_GIB = 0.045
PUBLIC_ADDRESS = 0.005
ACU = 0.12
AURORA_GIB = 0.10
SECRET = 0.40
KEY = 1.00
ALARM = 0.10
SHARP_ALARM = 0.30
COMPOSITE_ALARM = 0.50
METRIC = 0.30
DASHBOARD = 3.00
FREE_DASHBOARDS = 3
LOG_GIB = 0.50
ZONE = 0.50
FIREWALL = 5.00
FIREWALL_RULE = 1.00
MILLION_FIREWALL_REQUESTS = 0.60
INSIGHTS_OF_A_SERVICE = 6.00
"""Container Insights, roughly: its metrics are paid for as any others."""
