"""asyncapi.yaml matches the models, and every recorded message is valid against it."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml

from operations.asyncapi import document
from operations.deployment import TOPOLOGIES
from schemas.codec import TYPES
from services.common.rows.table import ServiceTopology
from tests.contract.asyncapi import FILE, text
from tests.contract.recordings import Recording, read_recordings

RECORDINGS = read_recordings()
DOCUMENT = document()


def test_the_file_is_what_the_models_say_now() -> None:
    assert FILE.read_text() == text(), "run make asyncapi"
    assert yaml.safe_load(FILE.read_text()) == DOCUMENT


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_recorded_event_fits_its_message(recording: Recording) -> None:
    name = TYPES[recording.type].__name__
    assert name in DOCUMENT["channels"][recording.topic]["messages"]
    message = DOCUMENT["components"]["messages"][name]
    assert message["name"] == recording.type
    validator(message["payload"]).validate(as_json(recording.value))
    headers = {header: value.decode() for header, value in recording.headers}
    validator(DOCUMENT["components"]["messageTraits"]["cloudEvent"]["headers"]).validate(headers)


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_an_event_that_lacks_a_field_does_not_fit(recording: Recording) -> None:
    payload = DOCUMENT["components"]["messages"][TYPES[recording.type].__name__]["payload"]
    required = [name for name, field in TYPES[recording.type].model_fields.items() if field.is_required()]
    for name in required:
        value = {key: each for key, each in as_json(recording.value).items() if key != name}
        assert not validator(payload).is_valid(value), name


def test_each_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=lambda each: each.service)
def test_what_a_service_reads_and_writes_is_said(topology: ServiceTopology) -> None:
    said = {name for name in DOCUMENT["operations"] if name.startswith(f"{topology.service}.")}
    receives = {f"{topology.service}.receive.{topic.name}" for topic in topology.reads}
    assert said == receives | {f"{topology.service}.send.{topic.name}" for topic in topology.writes}


def validator(schema: dict[str, Any]) -> Any:
    """Return a validator of a schema within the document."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def as_json(value: bytes) -> dict[str, Any]:
    """Read a JSON object."""
    read: dict[str, Any] = json.loads(value)
    return read


def references(node: Any) -> list[str]:
    """Return the references in a node and its descendants."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in references(value)]
    return [each for value in node for each in references(value)] if isinstance(node, list) else []
