"""What a person makes on the account's page for the day when the phone is not at hand."""

from tests.authenticator_app import App
from tests.e2e.browser_page import BrowserPage


async def add_app(computer: BrowserPage, name: str = "Authenticator app") -> App:
    """Add an app from the account's page, by the text beside the picture."""
    await computer.press("add-app")
    await computer.reads("ADD AN AUTHENTICATOR APP")
    await computer.page.get_by_text("Can't scan it?").click()
    app = App(await computer.part("secret").inner_text())
    await computer.part("app-name").fill(name)
    await computer.enter_code(app.code())
    await computer.reads("YOUR ACCOUNT")
    return app


async def make_recovery_codes(computer: BrowserPage) -> list[str]:
    """Make recovery codes on the account's page; return what is shown."""
    await computer.press("make-codes")
    await computer.reads("RECOVERY CODES")
    codes = await computer.part("recovery-codes").get_by_role("listitem").all_inner_texts()
    await computer.press("done")
    await computer.reads("YOUR ACCOUNT")
    return [code.strip() for code in codes]
