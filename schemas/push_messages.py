"""The push service's private commands to the owner of a device's channel."""

from typing import ClassVar

from schemas.base import Command, Digest, Identifier, Jws, Text
from schemas.topics import PUSH_COMMANDS, Topic


class DeviceCommand(Command):
    """A command to the owner of a device's channel.

    Attributes:
        device_id: The device.

    """

    topic: ClassVar[Topic] = PUSH_COMMANDS

    device_id: Digest

    @property
    def key(self) -> str:
        """Return the device id, whose owner decides."""
        return self.device_id


class RegisterDevice(DeviceCommand):
    """A device that a challenge has named connected for the first time, or under a new name.

    Attributes:
        device_name: Its display name.

    """

    type: ClassVar[str] = "countersign.push.register_device.v1"

    device_name: Text


class ForgetDevice(DeviceCommand):
    """Delete the channel of a device that was never paired."""

    type: ClassVar[str] = "countersign.push.forget_device.v1"


class TellUnpaired(DeviceCommand):
    """Notify a device that it was removed from an account.

    Attributes:
        account_id: The account.
        pairing_id: The pairing that ended.
        statement: The statement for the device, signed by the account's service (protocol.unpaired).

    """

    type: ClassVar[str] = "countersign.push.tell_unpaired.v1"

    account_id: Identifier
    pairing_id: Identifier
    statement: Jws
