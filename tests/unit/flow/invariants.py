"""What must hold of everything at any moment, whoever did whatever in whatever order."""

from collections import Counter
from typing import Final

from protocol.challenges import verify_proof
from schemas.contract import AuthResponse, DevicePaired, Purpose, Verdict
from schemas.pairing_messages import IssuePhrase
from services.common.decisions import OK, REMEMBERED_EVENTS
from services.common.used_nonces import MAX_NONCES
from services.login.domain.account import MOST_HISTORY, Account
from services.login.domain.approval import MOST_SESSIONS
from services.login.domain.expire import expire
from services.login.domain.login import Login, LoginState
from services.login.domain.sign_in import MOST_LOGINS
from services.push.domain.channel import MOST_ANSWERED, MOST_PENDING, PendingChallenge
from tests.builders import LIMITS, PAIRING_LIMITS, Phone, a_key
from tests.unit.flow.people import MALLORY
from tests.unit.flow.truth import Signature, Truth
from tests.unit.flow.world import ACCOUNTS, CHANNELS, REQUESTERS, TABLES, Decided, World
from tests.unit.login.login_moves import MOVES, login_moves

LOGIN_KEY: Final = a_key("login service").public.thumbprint
PAIRING_KEY: Final = a_key("pairing service").public.thumbprint
LOOKING: Final = {LoginState.NEEDS_PHONE, LoginState.PAIRING}


class Watcher:
    """Watches a world, decision by decision."""

    def __init__(self, world: World, truth: Truth) -> None:
        self._world = world
        self._truth = truth
        self._decided: set[tuple[str, str]] = set()
        self._paired: Counter[str] = Counter()
        self._ends: dict[tuple[str, str], Login] = {}
        self._read = 0

    def check(self) -> None:
        """Check whatever must hold at any moment."""
        for decided in self._world.decisions[self._read :]:
            place = (decided.table.name, decided.event.id)
            if place not in self._decided:
                self._see(decided)
            self._decided.add(place)
        self._read = len(self._world.decisions)
        for name, account in self._world.rows(ACCOUNTS).items():
            _check_logins(expire(account, self._world.now, LIMITS))
            self._check_ends(account)
            _check_devices(name, account, self._truth)
            _check_sessions(name, account, self._truth)
        check_bounds(self._world)
        if not self._world.waiting():
            check_phones(self._world)

    def _check_ends(self, account: Account) -> None:
        """What a login came to by a decision, it stays.

        By time alone it may look ended while an answer that was given in time is still on its way.
        """
        for login in account.logins:
            if login.over:
                place = (account.account_id, login.login_id)
                assert self._ends.setdefault(place, login) == login, "a login that was over went on"

    def _see(self, decided: Decided) -> None:
        """Check what one decision, not a repeated one, must never lead to."""
        message = decided.event.data
        if decided.table is ACCOUNTS and decided.decision.row is not None:
            at, row = decided.event.time, decided.decision.row
            moves = set(login_moves(decided.before, type(message).__name__, at, row, LIMITS))
            assert moves <= MOVES, moves - MOVES
        if isinstance(message, AuthResponse):
            _check_report(decided, message)
        if isinstance(message, IssuePhrase) and decided.decision.outcome == OK:
            self._paired[message.phrase_digest] = 0
        if any(isinstance(each, DevicePaired) for each in decided.decision.events):
            self._paired[message.key] += 1
            assert self._paired[message.key] == 1, "a phrase paired twice"


def check_phones(world: World) -> None:
    """Check what the phones show, once all has arrived: a request only for the login that waits for it."""
    shown = Counter(each.reply_key for each in _shown(world) if each.purpose is Purpose.LOGIN)
    assert all(count == 1 for count in shown.values()), "phones are asked twice for one account"
    for each in _shown(world, MALLORY):
        if each.purpose is Purpose.LOGIN:
            waiting = expire(world.row(ACCOUNTS, each.reply_key), world.now, LIMITS).open_challenge()
            assert waiting is not None, "a phone is asked for a login that does not wait"
            assert waiting.challenge is not None
            assert waiting.challenge.challenge_id == each.challenge_id, "a phone is asked for another login"


def check_pairings(world: World) -> None:
    """Check, where nobody forged anything, that a phone is asked to pair only while a login waits for it."""
    waiting = {
        login.pairing.pairing_id
        for account in world.rows(ACCOUNTS).values()
        for login in expire(account, world.now, LIMITS).logins
        if login.pairing is not None and login.waits_for_phone(world.now)
    }
    assert {each.challenge_id for each in _shown(world) if each.purpose is Purpose.PAIRING} <= waiting


def _shown(world: World, but: Phone | None = None) -> list[PendingChallenge]:
    """Return what all phones show, but for one who may have answered past the push service."""
    channels = [each for key, each in world.rows(CHANNELS).items() if but is None or key != but.device_id]
    return [each for channel in channels for each in channel.open_at(world.now)]


def _check_report(decided: Decided, response: AuthResponse) -> None:
    """A report that was taken leaves no login pending."""
    taken = decided.table is ACCOUNTS and decided.decision.outcome == OK and response.purpose is Purpose.LOGIN
    if taken and verify_proof(response.challenge, response.answer).verdict is Verdict.REPORT:
        account: Account | None = decided.decision.row
        assert account is None or all(login.over for login in account.logins), "a login outlived a report"


def _check_logins(account: Account) -> None:
    """At most one request is open, and nobody gets round the phone by pairing another one."""
    assert sum(login.state is LoginState.CHALLENGED for login in account.logins) <= 1, "two open requests"
    assert not (account.devices and any(login.state in LOOKING for login in account.logins)), "a way round the phone"


def _check_devices(name: str, account: Account, truth: Truth) -> None:
    """Each paired phone accepted that very pairing, which was asked for that very account."""
    for device in account.devices:
        assert truth.pairings[device.pairing_id][0] == name
        assert any(
            (each.device_id, each.verdict, each.issuer_key) == (device.device_id, Verdict.APPROVE, PAIRING_KEY)
            and (each.claims.purpose, each.claims.jti, each.claims.account_id)
            == (Purpose.PAIRING, device.pairing_id, name)
            for each in truth.signatures
        ), "a phone was paired that never accepted"


def _check_sessions(name: str, account: Account, truth: Truth) -> None:
    """Each session was approved on a phone that accepted a pairing with this account, for that very login."""
    for session in account.sessions:
        owner, login_id = truth.sessions[session.session_digest]
        assert owner == name
        assert any(
            truth.challenges.get(each.claims.jti) == (name, login_id)
            and (each.verdict, each.issuer_key, each.claims.purpose) == (Verdict.APPROVE, LOGIN_KEY, Purpose.LOGIN)
            and _was_paired(name, each, truth)
            for each in truth.signatures
        ), "a session that nobody approved"


def _was_paired(name: str, signature: Signature, truth: Truth) -> bool:
    return any(
        (each.device_id, each.claims.account_id, each.verdict) == (signature.device_id, name, Verdict.APPROVE)
        and (each.issuer_key, each.claims.purpose) == (PAIRING_KEY, Purpose.PAIRING)
        for each in truth.signatures
    )


def check_bounds(world: World) -> None:
    """Check that no row grows without end."""
    for table in TABLES:
        for row in world.rows(table).values():
            assert len(row.processed) <= REMEMBERED_EVENTS
            assert len({each.topic for each in row.last_outputs}) == len(row.last_outputs)
    for account in world.rows(ACCOUNTS).values():
        assert len(account.logins) <= MOST_LOGINS
        assert len(account.sessions) <= MOST_SESSIONS
        assert len(account.history) <= MOST_HISTORY
    for requester in world.rows(REQUESTERS).values():
        assert len(requester.issued) <= PAIRING_LIMITS.phrases.most
        assert len(requester.nonces) <= MAX_NONCES
    for channel in world.rows(CHANNELS).values():
        assert len(channel.pending) <= MOST_PENDING
        assert len(channel.answered) <= MOST_ANSWERED
        assert len(channel.nonces) <= MAX_NONCES
