"""The app's files: all are cached for offline use, and none violates its page policy."""

import hashlib
import json
import re
from pathlib import Path
from typing import Final

from tests.builders import present
from tests.component.web.stage import WEB_APP

WORKER: Final = WEB_APP / "service-worker.js"


def files() -> list[Path]:
    return sorted(path for path in WEB_APP.rglob("*") if path.is_file() and path != WORKER)


def address(path: Path) -> str:
    return f"/{path.relative_to(WEB_APP).as_posix()}".removesuffix("index.html")


def test_every_file_is_kept_for_offline_use() -> None:
    shell = present(re.search(r"const SHELL = \[(.*?)\];", WORKER.read_text(encoding="utf-8"), re.DOTALL))
    assert re.findall(r'"(.*?)"', shell[1]) == sorted(address(path) for path in files())


def test_the_version_is_that_of_the_files() -> None:
    digest = hashlib.sha256()
    for path in files():
        digest.update(f"{address(path)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    version = digest.hexdigest()[:12]
    assert f'const VERSION = "{version}";' in WORKER.read_text(encoding="utf-8"), (
        f'the files have changed: write const VERSION = "{version}" into {WORKER.name}'
    )


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (WEB_APP / "index.html").read_text(encoding="utf-8")
    assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page) is None


def test_the_manifest_s_icons_are_there() -> None:
    manifest = json.loads((WEB_APP / "manifest.webmanifest").read_text(encoding="utf-8"))
    sizes = {icon["sizes"] for icon in manifest["icons"] if (WEB_APP / icon["src"].removeprefix("/")).is_file()}
    assert sizes == {"any", "192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
