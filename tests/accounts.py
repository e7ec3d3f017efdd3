"""Accounts for tests that sign in at once: made, and known to the login service that will be asked."""

from pathlib import Path

import aiohttp

from services.common.keys.keys import load_secret
from services.login.admin import Administration
from services.login.domain.account import Account
from services.login.web.cookies import Cookies
from services.login.web.read_your_writes import VERSION, version_value


async def add_account(accounts: Administration, login_url: str, secrets: Path, name: str, password: str) -> Account:
    """Make an account, and wait until an instance of the login service has seen it."""
    account = await accounts.add(name, password)
    await let_see(login_url, secrets, account)
    return account


async def let_see(login_url: str, secrets: Path, account: Account) -> None:
    """Wait until an instance of the login service has seen a row."""
    cookies = {VERSION: sealed(secrets, version_value(account))}
    async with aiohttp.ClientSession(cookies=cookies) as session, session.get(f"{login_url}/sign-in") as answer:
        assert answer.status == 200, await answer.text()


def sealed(secrets: Path, value: str) -> str:
    """Return a value as the login service seals it into a cookie."""
    return Cookies(load_secret(secrets, "cookies"), secure=False).seal(value)
