"""What the examples of several messages have in common."""

from datetime import UTC, datetime

from contracts.message import Owner

RUN = "chat_01k3x9v4t2p7q8r5s6w0y1z2ab"
CONVERSATION = "conv_01k3x9v4t2c3d4e5f6g7h8j9km"
REPLY = "msg_01k3x9v4t2n3p4q5r6s7t8v9wx"
OWNER = Owner(tenant="acme", user="ada")
AT = 1_767_225_600_000
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)
