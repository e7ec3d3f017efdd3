"""Accounts for tests that sign in at once: made, and known to the login service that will be asked."""

import aiohttp

from services.login.admin import Administration
from services.login.catch_up import SEEN, seen_value
from services.login.domain.rows import Account


async def add_account(accounts: Administration, login_url: str, name: str, password: str) -> Account:
    """Make an account, and wait until an instance of the login service has seen it."""
    account = await accounts.add(name, password)
    await let_see(login_url, account)
    return account


async def let_see(login_url: str, account: Account) -> None:
    """Wait until an instance of the login service has seen a row."""
    cookies = {SEEN: seen_value(account)}
    async with aiohttp.ClientSession(cookies=cookies) as session, session.get(f"{login_url}/sign-in") as answer:
        assert answer.status == 200, await answer.text()
