"""People at the login service alone: they read its pages, and a test plays what their phones and the services do."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.stack import Stack
from lab.testkit.person import Visitor
from lab.testkit.text_browser import TextBrowser
from protocol.agreement import AgreementPrivateKey
from protocol.challenges import Claims, PinnedIssuer, issue_challenge, sign_answer, verify_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from protocol.verification_codes import STEP_SECONDS, code_at, step_at
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeIssued,
    DevicePaired,
    PairingRequested,
    Purpose,
    Verdict,
)
from services.common.keys.keys import load_secret
from services.login.admin import administration
from services.login.domain.account import Account
from tests.accounts import add_account
from tests.builders import policy, present
from tests.integration.services.devices import ISSUER
from tests.integration.services.wire import Wire
from tests.polling import DEADLINE_SECONDS

PASSWORD = "correct horse battery"
NEW_PASSWORD = "a lantern over seven quiet harbours"
PHRASE = "abacus abdomen"
PHONE = "Test phone"


class PlayedPhone:
    """A phone of which the login service sees what the pairing and push services publish.

    Attributes:
        key: Its key.
        name: Its name.

    """

    def __init__(self, wire: Wire, secrets: Path, name: str = PHONE) -> None:
        self.key = PrivateKey.generate()
        self.name = name
        self._wire = wire
        self._secrets = secrets
        self._agreement = AgreementPrivateKey.generate()
        self._code_secret = b""

    @property
    def device_id(self) -> str:
        """The device's id."""
        return self.key.public.thumbprint

    def accepted(self, request: PairingRequested, **changes: object) -> DevicePaired:
        """Return what the pairing service publishes once the phone has accepted."""
        at = datetime.now(UTC)
        claims = Claims(
            iss="http://localhost:8200",
            aud=self.device_id,
            jti=request.pairing_id,
            iat=int(at.timestamp()),
            exp=int(request.expires_at.timestamp()),
            purpose=Purpose.PAIRING,
            reply_key=request.phrase_digest,
            service=request.service_name,
            account_id=request.account_id,
            account_name=request.account_name,
            browser=request.browser,
            login_issuer=PinnedIssuer(
                issuer=request.issuer, keys=request.issuer_keys, agreement=request.issuer_agreement
            ),
        )
        challenge = issue_challenge(ISSUER, claims)
        answer = sign_answer(
            self.key,
            challenge=challenge,
            verdict=Verdict.APPROVE,
            url="u",
            nonce="n",
            at=at,
            agreement_key=self._agreement.public,
        )
        self._code_secret = self._agreement.code_secret(present(request.issuer_agreement), request.pairing_id)
        fields = {
            "pairing_id": request.pairing_id,
            "account_id": request.account_id,
            "device_id": self.device_id,
            "device_name": self.name,
            "challenge": challenge,
            "answer": answer,
            "paired_at": at,
            "seal": pairing_seal(
                load_secret(self._secrets, "phrase"), request.pairing_id, request.account_id, self.device_id
            ),
            **changes,
        }
        return DevicePaired.model_validate(fields)

    def code(self, steps_later: int = 0) -> str:
        """Return the verification code of now, or of a later time step; one step later is taken as well."""
        return code_at(self._code_secret, step_at(datetime.now(UTC) + timedelta(seconds=steps_later * STEP_SECONDS)))

    async def asked(self) -> ChallengeIssued:
        """Return what the phone is asked now."""
        answered = {each.challenge_id for each in self._wire.of(AuthResponse)}
        gone = {each.challenge_id for each in self._wire.of(ChallengeEnded)}
        return await self._wire.next(
            ChallengeIssued, lambda each: each.device_id == self.device_id and each.challenge_id not in answered | gone
        )

    async def answer(
        self, issued: ChallengeIssued, verdict: Verdict, *, key: PrivateKey | None = None, number: int | None = None
    ) -> None:
        """Answer as the phone and the push service do, with the right number unless another one is given."""
        at = datetime.now(UTC)
        claims, _ = verify_challenge(issued.challenge)
        if number is None and claims.number_matching and verdict is Verdict.APPROVE:
            number = policy(number_key=load_secret(self._secrets, "numbers")).signer.number_of(claims.jti)
        signed = sign_answer(
            key or self.key,
            challenge=issued.challenge,
            verdict=verdict,
            url="u",
            nonce=uuid.uuid4().hex,
            at=at,
            number=number,
        )
        response = AuthResponse(
            challenge_id=issued.challenge_id,
            device_id=issued.device_id,
            reply_key=issued.reply_key,
            purpose=issued.purpose,
            verdict=verdict,
            challenge=issued.challenge,
            answer=signed,
            answered_at=at,
        )
        await self._wire.publisher.publish_command(response)
        await self._wire.next(AuthResponse, lambda each: each == response)


class Person(Visitor):
    """A person with an account and a phone.

    Attributes:
        account_id: The account's id.
        wire: The connection to Kafka.
        phone: The phone.

    """

    def __init__(self, account: Account, browser: TextBrowser, wire: Wire, phone: PlayedPhone) -> None:
        super().__init__(account.name, PASSWORD, browser, patience_seconds=DEADLINE_SECONDS)
        self.account_id = account.account_id
        self.wire = wire
        self.phone = phone

    async def request_pairing(self, phrase: str = PHRASE) -> PairingRequested:
        """Enter a phrase, and return what the pairing service is asked."""
        known = {each.pairing_id for each in self.wire.of(PairingRequested)}
        await self.browser.open("/pair")
        await self.enter_phrase(phrase)
        return await self.wire.next(
            PairingRequested, lambda each: each.account_id == self.account_id and each.pairing_id not in known
        )

    async def accept_pairing(self, phone: PlayedPhone) -> None:
        """Enter a phrase and accept on a phone: the browser is at DEVICE PAIRING SUCCESSFUL."""
        await self.wire.publisher.publish_command(phone.accepted(await self.request_pairing()))
        await self.wait()
        self.browser.expect("DEVICE PAIRING SUCCESSFUL")

    async def pair(self) -> None:
        """Enter the password for the first time and pair the phone: the browser is at DEVICE PAIRING SUCCESSFUL."""
        await self.enter_password()
        await self.accept_pairing(self.phone)

    async def approve(self) -> None:
        """Approve on the phone: the browser is at the account's page."""
        await self.answer(Verdict.APPROVE)
        self.is_signed_in()

    async def answer(self, verdict: Verdict, phone: PlayedPhone | None = None) -> None:
        """Answer the challenge that waits, and follow the browser to where that leads."""
        phone = phone or self.phone
        await phone.answer(await phone.asked(), verdict)
        await self.wait()

    async def first_sign_in(self) -> None:
        """Enter the password for the first time, pair the phone and approve on it: the browser is at the account."""
        await self.pair_and_challenge()
        await self.approve()

    async def pair_and_challenge(self) -> None:
        """Pair the phone for the first time, and click OK: the browser waits for the phone."""
        await self.pair()
        await self.send_challenge()

    async def pair_only(self) -> None:
        """Pair the phone, and cancel the sign-in: the phone has not been asked yet."""
        await self.pair()
        await self.browser.press("cancel")

    async def sign_in_by_code(self, steps_later: int = 0) -> None:
        """Enter the password and a code of the phone: the browser is at the account."""
        await self.enter_password()
        await self.enter_code(self.phone.code(steps_later))
        self.is_signed_in()


def a_name() -> str:
    """Return a name that no other account has."""
    return f"p{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def a_person(stack: Stack, wire: Wire) -> AsyncIterator[Person]:
    """Give a person with an account and no phone yet."""
    name = a_name()
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        account = await add_account(accounts, stack.urls["login"], stack.secrets, name, PASSWORD)
    async with TextBrowser(stack.urls["login"]) as browser:
        await browser.open("/sign-in")
        yield Person(account, browser, wire, PlayedPhone(wire, stack.secrets))


async def come_back(visitor: Visitor) -> None:
    """Sign out, and enter the password again."""
    await visitor.browser.press("sign-out")
    await visitor.enter_password()


def another(number: int) -> int:
    """Return a number of two digits that is not the given one."""
    return 10 + (number - 9) % 90


def message(visitor: Visitor) -> tuple[str, str]:
    """Return the title and the text of the message on a visitor's page."""
    return visitor.browser.part("notice-title").text, visitor.browser.part("notice-text").text


def expect_message(visitor: Visitor, title: str, text: str = "") -> None:
    """Check the title, and a part of the text, of the message on a visitor's page."""
    shown = message(visitor)
    assert (shown[0], text in shown[1]) == (title, True), shown


def last_entry(visitor: Visitor) -> str:
    """Return the newest line of the history on a visitor's account page."""
    return visitor.browser.parts("history-entry")[0]
