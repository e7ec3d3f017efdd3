"""Pictures of the pages, kept as test artefacts, and what every page must have whatever it says."""

from pathlib import Path
from typing import Final, Literal

from tests.e2e import browser_page, phone
from tests.e2e.browser_page import BrowserPage
from tests.e2e.phone import WebPhone

ARTEFACTS: Final = Path(__file__).parents[2] / ".run" / "test-artefacts"
DIRECTORY: Final = ARTEFACTS / "screenshots"
Scheme = Literal["light", "dark"]
SIZES: Final[tuple[tuple[tuple[int, int], tuple[Scheme, ...]], ...]] = (
    (browser_page.SIZE, ("light",)),
    (phone.SIZE, ("light", "dark")),
)
"""The sizes, and the colour schemes in each."""
FAULTS: Final = """
() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const named = (each) => each.ariaLabel || each.innerText.trim() || each.labels?.length;
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  const nameless = shown("input, select, textarea").filter((each) => !each.ariaLabel && !each.labels?.length);
  const mute = shown("a, button, summary").filter((each) => !named(each));
  const root = document.documentElement;
  const wide = shown("main *").filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1);
  return [
    root.lang ? [] : "no language",
    document.title ? [] : "no title",
    shown("h1").length === 1 ? [] : `${shown("h1").length} main headings`,
    shown("main").length === 1 ? [] : `${shown("main").length} main parts`,
    new Set(ids).size === ids.length ? [] : "an id is there twice",
    root.scrollWidth <= root.clientWidth ? [] : `${root.scrollWidth - root.clientWidth} px too wide`,
    nameless.map((each) => `no label: ${each.outerHTML}`),
    mute.map((each) => `no name: ${each.outerHTML}`),
    wide.map((each) => `out of the window: ${each.outerHTML}`),
  ].flat();
}
"""


class Screenshots:
    """The pictures of a walk past pages.

    Attributes:
        faults: What is wrong with the pages, in words.

    """

    def __init__(self) -> None:
        self.faults: list[str] = []

    async def take(self, window: BrowserPage | WebPhone, name: str, heading: str = "") -> None:
        """Take a window in each size and colour scheme, and look for faults; with a heading, wait for that page."""
        if heading:
            await window.reads(heading)
        page, before = window.page, window.page.viewport_size
        for (width, height), schemes in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            self.faults += [f"{name} at {width}x{height}: {fault}" for fault in await page.evaluate(FAULTS)]
            for scheme in schemes:
                await page.emulate_media(color_scheme=scheme)
                mark = "" if scheme == "light" else f"-{scheme}"
                path = DIRECTORY / f"{name}-{width}x{height}{mark}.png"
                await page.screenshot(path=path, full_page=True, animations="disabled")
        await page.emulate_media(color_scheme="light")
        if before is not None:
            await page.set_viewport_size(before)


def clear(run: str) -> None:
    """Make room for a run's pictures, once, however many processes the run has.

    Args:
        run: The run's id.

    """
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    before = (*DIRECTORY.glob("*.png"), *DIRECTORY.glob("run-*"))
    try:
        (DIRECTORY / f"run-{run}").touch(exist_ok=False)
    except FileExistsError:
        return
    for old in before:
        old.unlink(missing_ok=True)
