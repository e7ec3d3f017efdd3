"""Seeds a tree's stack by the tree's own modules. It runs in that tree, so it imports nothing of this one.

    python -P seed_program.py SEEDING_MODULE SEED_MODULE PREFIX ACCOUNTS PHONES HASH

The working directory is the tree; the services' settings are in the environment. `lab.load seed` makes the one hash of
all accounts with Argon2id's usual parameters; this takes any hash, so that a check of the password may cost nothing.
"""

import asyncio
import sys
from importlib import import_module


async def seed(modules: tuple[str, str], prefix: str, accounts: int, phones: int, password_hash: str) -> None:
    """Write accounts, the first ones with phones, into the stack's changelogs.

    Args:
        modules: The one that has `Seeding`, and the one that has `Seed`.
        prefix: What stands before the number in each name.
        accounts: How many there shall be.
        phones: How many of them shall have a phone.
        password_hash: The hash of their one password.

    """
    seeding, seeds = (import_module(each) for each in modules)
    plan = seeding.Plan(seeds.Seed(prefix=prefix), accounts, phones, password_hash)
    login, pairing = seeding.LoginSettings(), seeding.PairingSettings()
    async with seeding.Seeding.connected(plan, login, pairing, lambda _progress: None) as work:
        await work.run(lambda progress: print(progress.done, flush=True))


def main() -> None:
    """Read the command line, and seed."""
    _, seeding, seeds, prefix, accounts, phones, password_hash = sys.argv
    asyncio.run(seed((seeding, seeds), prefix, int(accounts), int(phones), password_hash))


if __name__ == "__main__":
    main()
