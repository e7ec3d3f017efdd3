"""The documents match the code: the glossary, the decisions, the threat model and the commands."""

import importlib
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from cli.kafka import TOOLS
from operations.deployment import ALL, readers, writers
from schemas.codec import TYPES
from schemas.topics import DAY_SECONDS, Topic, TopicKind
from services.common.instance.health import NotReadyReason
from services.common.kafka.topic_settings import creation_settings
from tests.readme import ROOT, shown_commands

DOCS: Final = Path(__file__).parents[2] / "docs"
ROW: Final = re.compile(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \| `([a-z_.]+)\.(\w+)` \|$", re.MULTILINE)
WORDS: Final = ROW.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))


def test_every_test_that_the_threat_model_names_is_there() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_0-9]+/)*test_[a-z_0-9]+\.py)`", text))
    assert len(named) > 20
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert {name for name in named if not any(path.endswith(f"/{name}") or path == name for path in there)} == set()


def test_every_link_between_the_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [
        (document, target)
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target)
    ]
    assert len(links) > 20
    broken = [(document.name, target) for document, target in links if not (document.parent / target).exists()]
    assert broken == []


def topic_rows() -> list[str]:
    """Return the rows of the table of topics in docs/operations.md, as the code has them."""
    return [_row(topic) for topic in ALL if topic.kind is not TopicKind.DEAD_LETTER]


def _row(topic: Topic) -> str:
    names = [name.removeprefix("countersign.").removesuffix(".v1") for name in TYPES if TYPES[name].topic is topic]
    service, _, _ = topic.name.partition(".")
    shown = ", ".join(name.removeprefix(f"{service}.") if topic.kind is TopicKind.COMMAND else name for name in names)
    cells = (
        f"`{topic.name}`",
        topic.key,
        shown or "rows",
        _kept(creation_settings(topic, 1)),
        ", ".join(writers(topic)),
        ", ".join(readers(topic)),
    )
    return f"| {' | '.join(cells)} |"


def _kept(settings: dict[str, str]) -> str:
    if settings["cleanup.policy"] == "compact":
        return "newest of each key"
    seconds = int(settings["retention.ms"]) // 1000
    days, hours = seconds / DAY_SECONDS, seconds / 3600
    return f"{days:.0f} day{'s' if days > 1 else ''}" if days >= 1 else f"{hours:.0f} hour"


def test_the_operators_table_of_topics_is_what_the_code_has() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count(" | ") == 5]
    assert rows == topic_rows()
    dead = {_kept(creation_settings(topic, 1)) for topic in ALL if topic.kind is TopicKind.DEAD_LETTER}
    assert f"`TOPIC.dlq` keeps its records {dead.pop()}" in text
    assert not dead


def test_the_runbook_has_each_reason_that_an_instance_gives_for_not_being_ready() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [each for each in NotReadyReason if f"`{each}`" not in text] == []


def test_every_tool_of_kafka_that_the_operators_document_calls_can_be_run() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    called = set(re.findall(r"countersign kafka ([a-z-]+)", text))
    assert len(called) > 3
    assert called - set(TOOLS) == set()


def test_each_alert_links_to_a_section_of_the_runbook() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = {line[4:].lower().replace(" ", "-") for line in text.splitlines() if line.startswith("### ")}
    alarms = (ROOT / "deploy" / "monitoring" / "alerts.yml").read_text(encoding="utf-8")
    anchors = re.findall(r"runbook_url: docs/operations\.md#(\S+)", alarms)
    assert len(anchors) == alarms.count("- alert:")
    assert [each for each in anchors if each not in sections] == []


def test_make_knows_each_command_that_the_readme_shows() -> None:
    commands = shown_commands()
    assert ["make", "chaos"] in commands
    assert ["make", "run", "INSTANCES=2", "BROKERS=3"] in commands
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in commands:
        subprocess.run([*command, "--dry-run"], cwd=ROOT, check=True, capture_output=True, timeout=60)
        variables = [word.partition("=")[0] for word in command if "=" in word]
        assert [name for name in variables if f"\n{name} ?= " not in makefile] == []


def test_the_glossary_has_the_words_that_matter() -> None:
    assert len(WORDS) >= 30
    assert [word for word, _, _ in WORDS if [each for each, _, _ in WORDS].count(word) > 1] == []


@pytest.mark.parametrize(("word", "module", "name"), WORDS)
def test_each_term_is_where_the_glossary_says(word: str, module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name), word


def test_the_index_of_decisions_has_each_record_with_its_title_and_status() -> None:
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+) \| (.+) \|$", index, re.MULTILINE)
    records = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "adr").glob("0*.md")}
    assert [name for _, name, _, _ in rows] == sorted(records)
    for number, name, title, status in rows:
        assert records[name].startswith(f"# {number}. {title}\n\nStatus: {status}\n")
