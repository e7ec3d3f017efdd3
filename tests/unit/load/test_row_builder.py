"""Rows built in memory equal those of the services."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab.load.parallel_build import Order, Plan, make_rows, prepare
from lab.load.row_builder import CommandRejectedError, RowBuilder, tables_of
from lab.load.seed_keys import DEVICE_NAME, Seed
from protocol.jose import PrivateKey
from services.common.decisions import Row
from services.common.kafka.partitions import is_part
from services.common.rows.codec import read_row
from services.login.domain.account import Account
from services.login.settings import LoginSettings
from services.login.tables import ACCOUNTS as ACCOUNTS_TABLE
from services.pairing.domain.phrase import Phrase, PhraseState
from services.pairing.domain.requester import Requester
from services.pairing.settings import PairingSettings
from services.pairing.tables import PHRASES as PHRASES_TABLE
from services.pairing.tables import REQUESTERS as REQUESTERS_TABLE
from services.push.domain.channel import Channel
from services.push.tables import CHANNELS as CHANNELS_TABLE

MODELS: dict[str, type[Row]] = {
    ACCOUNTS_TABLE.changelog.name: Account,
    REQUESTERS_TABLE.changelog.name: Requester,
    PHRASES_TABLE.changelog.name: Phrase,
    CHANNELS_TABLE.changelog.name: Channel,
}


@pytest.fixture
def settings(tmp_path: Path) -> tuple[LoginSettings, PairingSettings]:
    """Give the settings of services that were never started: their keys are made."""
    kept = {"secrets_directory": str(tmp_path)}
    return LoginSettings.model_validate(kept), PairingSettings.model_validate(kept)


@pytest.fixture
def alex(settings: tuple[LoginSettings, PairingSettings]) -> RowBuilder:
    """Give the rows of a person with an account."""
    builder = RowBuilder(tables_of(*settings), "alex")
    builder.make_account("hash")
    return builder


def test_an_account_is_created(alex: RowBuilder) -> None:
    ((changelog, key, row),) = alex.rows()
    assert (changelog, key, row) == (ACCOUNTS_TABLE.changelog, "alex", alex.account)
    assert (row.version, alex.account.password_hash, alex.account.devices) == (1, "hash", ())


def test_a_phone_is_paired_and_nothing_is_pending(alex: RowBuilder) -> None:
    key = PrivateKey.generate()
    alex.pair(key, "Pocket")
    rows = {changelog.name: (name, row) for changelog, name, row in alex.rows()}
    assert list(rows)[-1] == ACCOUNTS_TABLE.changelog.name, "an interruption before it leaves nothing that counts"
    account, (device_id, channel) = alex.account, rows[CHANNELS_TABLE.changelog.name]
    assert isinstance(channel, Channel)
    assert [(each.device_id, each.name) for each in account.devices] == [(key.public.thumbprint, "Pocket")]
    assert all(login.over for login in account.logins)
    assert (device_id, channel.device_name, channel.pending) == (key.public.thumbprint, "Pocket", ())
    phrase = rows[PHRASES_TABLE.changelog.name][1]
    assert isinstance(phrase, Phrase)
    assert phrase.state is PhraseState.ACCEPTED
    assert rows[REQUESTERS_TABLE.changelog.name][0] == key.public.thumbprint


def test_a_rejected_command_is_an_error(alex: RowBuilder) -> None:
    alex.pair(PrivateKey.generate(), "Pocket")
    with pytest.raises(CommandRejectedError, match="alex"):
        alex.pair(PrivateKey.generate(), "One more, which needs an approval on the first")


def test_rows_are_built_as_ordered_and_round_trip(
    settings: tuple[LoginSettings, PairingSettings], alex: RowBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    seed = Seed()
    prepare(Plan(seed, accounts=3, phones=2, password_hash="hash"), *settings)
    there = replace(alex.account, account_id=seed.name(1), version=7)
    orders = [Order(0, None, phone=True), Order(1, there, phone=True), Order(2, None, phone=False)]
    made = [(topic, key, value) for topic, key, value in make_rows(orders) if not is_part(key)]
    rows = [(key.decode(), read_row(MODELS[topic], value)) for topic, key, value in made]
    accounts = {key: row for key, row in rows if isinstance(row, Account)}
    assert list(accounts) == [seed.name(number) for number in range(3)]
    paired = [[each.device_id for each in account.devices] for account in accounts.values()]
    assert paired == [*([seed.key(name).public.thumbprint] for name in map(seed.name, range(2))), []]
    assert accounts[seed.name(1)].devices[0].name == DEVICE_NAME
    assert accounts[seed.name(1)].version > 7, "it follows the one before"
    assert len(rows) == 4 + 4 + 1
