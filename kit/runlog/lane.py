"""Where a lane lies in the log."""

from dataclasses import dataclass

from contracts import subjects

SNAPSHOT_SUFFIX = "~s"
"""Lanes with this ending hold snapshots of another lane, not events of their own."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """One run of one owner."""

    tenant: str
    user: str
    run: str

    def lane(self, lane: str) -> str:
        """The log subject of one lane."""
        return subjects.LOG.format(tenant=self.tenant, user=self.user, run=self.run, lane=lane)

    @property
    def all_lanes(self) -> str:
        """The log subjects of every lane."""
        return self.lane(subjects.ALL_LANES)

    @property
    def live(self) -> str:
        """Where every lane is republished once stored."""
        return subjects.LIVE.format(tenant=self.tenant, user=self.user, run=self.run, lane=subjects.ALL_LANES)
