"""Users of Kafka with passwords, which aiokafka cannot make: ``python -m operations.kafka_users NAME=PASSWORD_FILE…``.

Source of the format: the Kafka protocol guide, "AlterUserScramCredentials API (Key: 51)" (KIP-554).
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from services.common.kafka.connection import KafkaConnection, KafkaRefusesError, read_connection, unreachable_text
from services.common.kafka.security import ConnectionSettingsError

_SHA_512: Final = 2
_ITERATIONS: Final = 8192
"""Kafka requires 4096 at least; passwords here are random, so more would only cost time at each connection."""
_SALT_BYTES: Final = 32
_TEXT: Final = CompactString("utf-8")


class UsersError(Exception):
    """Kafka does not take the users. The text says why."""


class _AlterResponse(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(("user", _TEXT), ("error_code", Int16), ("error_message", _TEXT), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class _AlterStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _TEXT), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", _TEXT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterRequest(Request[_AlterStruct]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 51

    def __init__(self, passwords: Mapping[str, bytes]) -> None:
        self._passwords = passwords

    def build(self, struct: type[_AlterStruct]) -> _AlterStruct:
        users: list[tuple[object, ...]] = []
        for name, password in self._passwords.items():
            salt = secrets.token_bytes(_SALT_BYTES)
            salted = hashlib.pbkdf2_hmac("sha512", password, salt, _ITERATIONS)
            users.append((name, _SHA_512, _ITERATIONS, salt, salted, {}))
        return struct([], users, {})


async def set_passwords(connection: KafkaConnection, passwords: Mapping[str, bytes]) -> None:
    """Set the passwords of users for SCRAM-SHA-512, and make the users that are missing.

    Args:
        connection: How to reach Kafka, as a principal that may alter the cluster.
        passwords: The passwords by user.

    Raises:
        UsersError: If Kafka does not take them.
        KafkaError: If it cannot be reached.

    """
    client = connection.client()
    try:
        await connection.start_client(client)
        response = await client.send(client.get_random_node(), _AlterRequest(passwords))
    finally:
        await client.close()
    for user, code, message, *_rest in response.results:
        if code:
            text = f"Kafka does not take user {user}: {message or for_code(code).__name__}"
            raise UsersError(text)


def main(
    users: Annotated[list[str], typer.Argument(help="Users, each as NAME=FILE with the password's file.")],
) -> None:
    """Make users of Kafka, or set their passwords, as a superuser; LOGIN_KAFKA_BOOTSTRAP and KAFKA_… say how."""
    passwords = {name: Path(path).read_bytes().strip() for name, _, path in (each.partition("=") for each in users)}
    try:
        connection = read_connection(os.environ.get("LOGIN_KAFKA_BOOTSTRAP", "localhost:9092"))
        asyncio.run(set_passwords(connection, passwords))
    except (ConnectionSettingsError, KafkaRefusesError, UsersError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except KafkaError as error:
        typer.echo(unreachable_text(connection, error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(passwords)} users have their passwords.")


if __name__ == "__main__":
    typer.run(main)
