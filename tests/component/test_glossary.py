"""Each term of the glossary exists in the code, and the index of decisions is complete."""

import importlib
import re
from pathlib import Path
from typing import Final

import pytest

DOCS: Final = Path(__file__).parents[2] / "docs"
ROW: Final = re.compile(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \| `([a-z_.]+)\.(\w+)` \|$", re.MULTILINE)
WORDS: Final = ROW.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))


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
