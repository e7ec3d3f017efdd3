"""Builds the rows of an account and its phone in memory: each event is decided by the rules of its table.

The rows are those that the services would have, since they follow from the same commands by the same rules. Left out is
what surrounds a decision: password checks, pages, sockets, Kafka.
"""

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, cast

from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from protocol.challenges import sign_answer
from protocol.encoding import digest
from protocol.jose import PrivateKey
from schemas.base import Browser, Message
from schemas.codec import Event
from schemas.contract import AuthResponse, ChallengeIssued, Verdict
from schemas.login_messages import CancelLogin, CreateAccount, SignIn, StartPairing
from schemas.pairing_messages import RequestPhrase
from schemas.push_messages import RegisterDevice
from schemas.topics import Topic
from services.common.clock import new_id, new_token, now
from services.common.decisions import Row, decide_once
from services.common.keys.keys import load_agreement_keys, load_secret, load_signing_keys
from services.login.directory import digest_name
from services.login.domain.account import Account
from services.login.domain.limits import Enrolment
from services.login.domain.policy import Policy
from services.login.settings import LoginSettings
from services.login.signer import make_signer as make_login_signer
from services.login.tables import ACCOUNTS
from services.pairing.domain.policy import PairingPolicy
from services.pairing.settings import PairingSettings
from services.pairing.signer import make_signer as make_pairing_signer

BROWSER: Final = Browser(name="Seeding", address="127.0.0.1")
PHRASE_LIFETIME: Final = timedelta(minutes=5)
SIGNED_URL: Final = "urn:countersign:seeding"
"""Stands in a seeded phone's answer where a phone names the address that it posts to."""


class CommandRejectedError(Exception):
    """The rules reject a command. The text names it."""


def tables_of(login: LoginSettings, pairing: PairingSettings) -> tuple[BoundTable, ...]:
    """Return the tables with the limits and the keys of a deployment; nothing is needed for a first pairing."""
    directory = login.secrets_directory
    signing, agreement = load_signing_keys(directory, "login"), load_agreement_keys(directory, "login")
    limits = login.limits.model_copy(update={"enrolment": Enrolment.NOTHING})
    signer = make_login_signer(login, signing, agreement.active)
    directory = pairing.secrets_directory
    pairing_keys, seal_key = load_signing_keys(directory, "pairing"), load_secret(pairing.shared_secrets, "phrase")
    pairing_policy = PairingPolicy(pairing.limits, make_pairing_signer(pairing, pairing_keys, seal_key))
    return Policies(Policy(limits, signer), pairing_policy, frozenset()).tables()


class RowBuilder:
    """Builds the rows of a person: the account is made, and a phone is paired."""

    def __init__(self, tables: tuple[BoundTable, ...], account_id: str, account: Account | None = None) -> None:
        """Begin with the rows that are there.

        Args:
            tables: The tables, whose rules decide; see `tables_of`.
            account_id: The account's id.
            account: The account's row, if it has one.

        """
        self._tables = tables
        self._account_id = account_id
        self._mine = (ACCOUNTS.changelog, account_id)
        self._rows: dict[tuple[Topic, str], Row] = {}
        self._sent: list[Message] = []
        if account is not None:
            self._rows[self._mine] = account

    @property
    def account(self) -> Account:
        """The account's row."""
        return cast("Account", self._rows[self._mine])

    def rows(self) -> Iterator[tuple[Topic, str, Row]]:
        """Give the changelog, the key and the row of each row that was made; the account's own comes last."""
        for (changelog, key), row in sorted(self._rows.items(), key=lambda item: item[0] == self._mine):
            yield changelog, key, row

    def make_account(self, password_hash: str, name_key: bytes) -> None:
        """Make the account; its id is its name as well.

        Args:
            password_hash: The hash of its password.
            name_key: The secret of the names' digests.

        """
        name = self._account_id
        command = CreateAccount(
            name_digest=digest_name(name_key, name),
            account_id=name,
            at=now(),
            name=name,
            display_name=name,
            password_hash=password_hash,
        )
        self._send(command)

    def pair(self, key: PrivateKey, device_name: str) -> None:
        """Pair a phone, and end the sign-in in which that was done.

        Raises:
            CommandRejectedError: If the rules reject it.

        """
        name, login_id, phrase, device_id = (
            self._account_id,
            new_id(),
            digest(new_token().encode()),
            key.public.thumbprint,
        )
        self._send(self._sign_in(login_id))
        self._send(_phrase_request(device_id, device_name, phrase))
        pairing = StartPairing(account_id=name, at=now(), login_id=login_id, pairing_id=new_id(), phrase_digest=phrase)
        self._send(pairing)
        challenges = (each for each in self._sent if isinstance(each, ChallengeIssued))
        asked = next((each for each in challenges if each.device_id == device_id), None)
        self._send(RegisterDevice(device_id=device_id, at=now(), device_name=device_name))
        if asked is not None:
            self._send(_acceptance(key, asked))
        if self.account.device(device_id) is None:
            text = f"The phone of {name} could not be paired."
            raise CommandRejectedError(text)
        self._send(CancelLogin(account_id=name, at=now(), login_id=login_id))

    def _sign_in(self, login_id: str) -> SignIn:
        return SignIn(
            account_id=self._account_id,
            at=now(),
            login_id=login_id,
            login_digest=digest(new_token().encode()),
            session_digest=digest(new_token().encode()),
            password_hash=self.account.password_hash,
            browser=BROWSER,
        )

    def _send(self, message: Message) -> None:
        """Decide a message and what follows from it, as the stream processors of the services do."""
        waiting = deque([Event(new_id(), now(), "seeding", "", message)])
        while waiting:
            event = waiting.popleft()
            self._sent.append(event.data)
            for table in self._tables:
                if event.data.topic in table.reads:
                    waiting.extend(self._decide(table, event))

    def _decide(self, table: BoundTable, event: Event[Message]) -> Iterator[Event[Message]]:
        slot = (table.changelog, event.data.key)
        decision = decide_once(self._rows.get(slot), event, table.decide)
        if decision.row is not None:
            self._rows[slot] = decision.row
        for index, message in enumerate(decision.events):
            yield Event(f"{event.id}.{index}", event.time, "seeding", "", message)


def _phrase_request(device_id: str, device_name: str, phrase: str) -> RequestPhrase:
    at = now()
    return RequestPhrase(
        device_id=device_id,
        device_name=device_name,
        nonce=new_id(),
        phrase_digest=phrase,
        at=at,
        expires_at=at + PHRASE_LIFETIME,
    )


def _acceptance(key: PrivateKey, asked: ChallengeIssued) -> AuthResponse:
    at, nonce = now(), new_id()
    answer = sign_answer(key, challenge=asked.challenge, verdict=Verdict.APPROVE, url=SIGNED_URL, nonce=nonce, at=at)
    return AuthResponse(
        challenge_id=asked.challenge_id,
        device_id=key.public.thumbprint,
        reply_key=asked.reply_key,
        purpose=asked.purpose,
        verdict=Verdict.APPROVE,
        challenge=asked.challenge,
        answer=answer,
        answered_at=at,
    )
