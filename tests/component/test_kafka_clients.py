"""All clients of Kafka are built in one place, so that none leaves TLS and credentials out."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CLIENTS: Final = {"AIOKafkaAdminClient", "AIOKafkaClient", "AIOKafkaConsumer", "AIOKafkaProducer", "create_conn"}
BUILDER: Final = "services/common/kafka/connection.py"
FOLDERS: Final = ("authenticator", "cli", "deploy", "lab", "operations", "protocol", "schemas", "services")


def built(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each client that a module builds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in CLIENTS:
                yield node.lineno, name


def test_clients_are_built_in_one_place() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): list(built(path.read_text())) for path in paths}
    assert {name for _line, name in found.pop(BUILDER)} == CLIENTS
    assert {path: places for path, places in found.items() if places} == {}


def test_a_client_that_is_built_elsewhere_is_found() -> None:
    assert list(built("import aiokafka\nconsumer = aiokafka.AIOKafkaConsumer()")) == [(2, "AIOKafkaConsumer")]
