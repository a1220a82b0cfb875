"""What every event of a run's log has."""

import msgspec


class BaseEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Its lane, and the writer's clock in Unix milliseconds."""

    lane: str
    at: int
