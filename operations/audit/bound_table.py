"""A table or a relay together with its service's policy."""

from dataclasses import dataclass, field
from typing import Any

from schemas.base import Message
from schemas.codec import Event
from schemas.topics import Topic
from services.common.decisions import Decision, Row
from services.common.rows.table import Relay, Table


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A table or a relay that can replay decisions. A relay is a table without rows.

    Attributes:
        declared: The service's declaration.
        policy: The service's policy.

    """

    declared: Table[Any] | Relay
    policy: object = field(repr=False, compare=False)

    @property
    def service(self) -> str:
        """The service that owns it."""
        return self.declared.service

    @property
    def name(self) -> str:
        """Its name."""
        return self.declared.name

    @property
    def model(self) -> type[Row] | None:
        """The rows' type; None for a relay."""
        return self.declared.model if isinstance(self.declared, Table) else None

    @property
    def reads(self) -> tuple[Topic, ...]:
        """The topics whose events it decides or forwards."""
        return self.declared.reads

    @property
    def writes(self) -> tuple[type[Message], ...]:
        """The messages that it publishes."""
        return self.declared.writes

    @property
    def source(self) -> str:
        """The CloudEvents source of its messages."""
        return self.declared.source

    @property
    def changelog(self) -> Topic:
        """The topic of its rows.

        Raises:
            TypeError: If it is a relay.

        """
        if isinstance(self.declared, Relay):
            raise TypeError(self.name)
        return self.declared.changelog

    def decide(self, row: Any, event: Event[Message]) -> Decision[Any]:
        """Decide an event."""
        if isinstance(self.declared, Relay):
            return Decision(None, self.declared.translate(event))
        return self.declared.decide(row, event, self.policy)
