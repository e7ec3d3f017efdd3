"""What all rules of the model stand on: the services, the oracle, and what people have in hand."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, Rule, RuleBasedStateMachine, RuleStrategy, invariant, precondition, rule

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import ChallengeIssued, Purpose, Verdict
from schemas.login_messages import UseCode, UseRecoveryCode
from services.login.domain.account import Account
from services.login.domain.expire import expire_login
from services.login.domain.login import Login, LoginState
from services.login.domain.policy import Policy
from services.pairing.domain.phrase import Phrase, PhraseState
from services.push.domain.channel import Channel
from tests.builders import Phone, a_digest, a_phone, policy
from tests.model.memory_kafka import ACCOUNTS, CHANNELS, PHRASES, POLICIES, MemoryKafka
from tests.model.memory_kafka import NAMES as NAMES_TABLE
from tests.model.memory_push import MemoryPush
from tests.model.oracle import Oracle
from tests.session_messages import a_creation

RuleT = TypeVar("RuleT", bound=Callable[..., Any])
LONGEST_DELAY_SECONDS: Final = 31
NAMES: Final = ("alex", "bo")
"""The names that have an account at the beginning, whose id is the same."""
PHONES: Final = (a_phone("Pixel 9"), a_phone("Fairphone 5"), a_phone("the attacker's phone"))
ATTACKERS_PHONE: Final = PHONES[-1]
WORDS: Final = ("crimson otter", "quiet harbour", "amber fox")
"""The phrases that phones draw: few, so that one is drawn again."""


@dataclass(frozen=True, slots=True, eq=False)
class ChallengeHandle:
    """A challenge that was asked for, whether one was sent or not."""

    machine: "ModelMachine" = field(repr=False)
    challenge_id: str

    @property
    def issued(self) -> ChallengeIssued | None:
        """The challenge as it was sent; None if none was."""
        sent = (event.data for event in self.machine.kafka.log if isinstance(event.data, ChallengeIssued))
        return next((each for each in sent if each.challenge_id == self.challenge_id), None)

    @property
    def phone(self) -> Phone | None:
        """The phone that was asked; None if none was."""
        issued = self.issued
        return next((each for each in PHONES if issued and each.device_id == issued.device_id), None)

    @property
    def is_of_login(self) -> bool:
        """True where a login's challenge was sent."""
        issued = self.issued
        return issued is not None and issued.purpose is Purpose.LOGIN

    @property
    def orphaned(self) -> bool:
        """True once the phone that was asked for a login is paired no more."""
        issued = self.issued
        if issued is None or issued.purpose is Purpose.PAIRING:
            return False
        return issued.device_id not in self.machine.oracle.history(issued.reply_key).phones.values()

    @property
    def shown(self) -> bool:
        """True while a phone shows it."""
        channels: dict[str, Channel] = self.machine.kafka.rows(CHANNELS)
        now = self.machine.kafka.now
        return any(each.challenge_id == self.challenge_id for row in channels.values() for each in row.open_at(now))


@dataclass(frozen=True, slots=True, eq=False)
class LoginHandle(ChallengeHandle):
    """A login as the browser has it that began it; its first challenge has its id."""

    account: str
    session_digest: str
    remember_digest: str | None = None

    @property
    def login_id(self) -> str:
        """The login's id."""
        return self.challenge_id

    @property
    def login(self) -> Login | None:
        """The login as it stands; None if it is not there."""
        account: Account | None = self.machine.kafka.row(ACCOUNTS, self.account)
        login = account.login(self.login_id) if account is not None else None
        return None if login is None else expire_login(login, self.machine.kafka.now)

    @property
    def open(self) -> bool:
        """True while it is not over."""
        return self.state not in {LoginState.APPROVED, LoginState.ENDED}

    @property
    def state(self) -> LoginState:
        """Where it stands; one that is not there has ended."""
        login = self.login
        return LoginState.ENDED if login is None else login.state

    @property
    def unenrolled(self) -> bool:
        """True while it waits for an enrolment code."""
        return self.state is LoginState.NEEDS_ENROLMENT

    @property
    def looking(self) -> bool:
        """True while it looks for a phone."""
        return self.state in {LoginState.NEEDS_PHONE, LoginState.PAIRING}

    @property
    def ready(self) -> bool:
        """True while it waits for the second factor."""
        return self.state in {LoginState.PAIRED, LoginState.READY, LoginState.CHALLENGED}

    @property
    def signed_in(self) -> bool:
        """True while its session is open."""
        return self.machine.oracle.history(self.account).is_open(self.session_digest, self.machine.kafka.now)

    @property
    def remembered(self) -> bool:
        """True where its browser wished to be remembered, whether it is by now or not."""
        return self.remember_digest is not None


@dataclass(frozen=True, slots=True, eq=False)
class PhraseHandle:
    """A phrase that a phone asked for."""

    machine: "ModelMachine" = field(repr=False)
    phone: Phone
    words: str

    @property
    def fresh(self) -> bool:
        """True while it can be entered."""
        row: Phrase | None = self.machine.kafka.row(PHRASES, a_digest(self.words))
        return row is not None and (row.state, row.device_id) == (PhraseState.ISSUED, self.phone.device_id)


logins: Final[Bundle[LoginHandle]] = Bundle("logins")
challenges: Final[Bundle[Any]] = Bundle("challenges")
"""Of `ChallengeHandle`; logins are among them."""
phrases: Final[Bundle[PhraseHandle]] = Bundle("phrases")
codes: Final[Bundle[UseCode | UseRecoveryCode]] = Bundle("codes")
names: Final = st.sampled_from((*NAMES, "cy"))
accounts: Final = st.runner().flatmap(lambda machine: st.sampled_from(machine.accounts))
phones: Final = st.sampled_from(PHONES)
phrase_words: Final = st.sampled_from(WORDS)
which: Final = st.integers(0, 4)
"""Which of an account's methods."""


class AnyRule(RuleStrategy):
    """Chooses among all rules that are allowed.

    Hypothesis would leave out a random half of a machine's rules in each run. Most runs then lack one of the rules that
    a longer story needs, such as signing in.
    """

    def _rule_is_enabled(self, rule: Rule) -> bool:
        return self.is_valid(rule)


class ModelMachine(RuleBasedStateMachine):
    """The three services, with two accounts and nothing else; each decision is watched.

    Attributes:
        kafka: The services.
        push: The push service's web side.
        oracle: Watches them.
        limits: The login service's limits.
        lagging: True while the services read nothing, until they catch up.
        crashing: The number of the next record at which an instance dies; None if none does.
        holding: True if the next command comes late.
        held_back: A command that is on its way; it comes after the next one.
        answered: What phones last answered, by challenge id.

    """

    make_kafka: Callable[..., MemoryKafka] = MemoryKafka

    def __init__(self) -> None:
        super().__init__()
        self._rules_strategy = AnyRule(self)
        self.begin(policy())

    def begin(self, login_policy: Policy) -> None:
        """Begin anew under another policy."""
        self.kafka = type(self).make_kafka(replace(POLICIES, login=login_policy))
        self.push = MemoryPush(self.kafka)
        self.limits = login_policy.limits
        self.oracle = Oracle(self.kafka, self.limits)
        self.lagging = False
        self.crashing: int | None = None
        self.holding = False
        self.held_back: Event[Message] | None = None
        self.answered: dict[str, tuple[Verdict, int | None]] = {}
        self._numbers: Counter[str] = Counter()
        self._sound = True
        for name in NAMES:
            self.create_account(name, name)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids of the accounts that had the names last."""
        rows = [self.kafka.row(NAMES_TABLE, a_digest(name)) for name in NAMES]
        ids = [None if row is None else row.account_id for row in rows]
        return tuple(each or name for each, name in zip(ids, NAMES, strict=True))

    def create_account(self, name: str, account_id: str) -> None:
        """Make an account, if the name is free."""
        fields = {"account_id": account_id, "name": name, "name_digest": a_digest(name)}
        password_hash = f"$argon2id${self.new('password')}"
        creation = a_creation(self.kafka.now, email=f"{name}@example.org", password_hash=password_hash, **fields)
        self.give(creation)

    def give(self, message: Message, account: str | None = None, event_id: str | None = None) -> None:
        """Publish a command, of an account if one is named; the services catch up with it at once unless they lag."""
        if account is not None:
            message = message.model_copy(update={"account_id": account})
        held, self.held_back = self.held_back, None
        if self.holding:
            self.holding = False
            self.held_back = self.kafka.draw(message, event_id)
        else:
            self.kafka.command(message, event_id)
        self.catch_up()
        if held is not None:
            self.kafka.publish(held)
            self.catch_up()

    def catch_up(self, order: Sequence[int] = (0,)) -> None:
        """Let the services decide what waits, unless they lag."""
        if self.lagging:
            return
        self.crash_now()
        self.kafka.settle(order)
        self.oracle.read()

    def crash_now(self) -> None:
        """Let an instance die at a record that waits, if one shall."""
        if self.crashing is not None and (waiting := self.kafka.waiting()):
            self.kafka.crash(waiting[self.crashing % len(waiting)])
            self.crashing = None

    def pass_time(self, seconds: float) -> None:
        """Let time pass; what lasts longer than seconds, neither the network nor an instance holds up."""
        if seconds > LONGEST_DELAY_SECONDS:
            self.lagging = self.holding = False
            held, self.held_back = self.held_back, None
            if held is not None:
                self.kafka.publish(held)
            self.catch_up()
        self.kafka.pass_time(seconds)

    def new(self, what: str) -> str:
        """Return an id that was not used before."""
        self._numbers[what] += 1
        return f"{what}-{self._numbers[what]}"

    def held(self, bundle: Bundle[Any]) -> list[Any]:
        """Return what is in a bundle."""
        return [self.names_to_values[reference.name] for reference in self.bundle(bundle.name)]

    def method(self, login: LoginHandle, number: int) -> str:
        """Return one of the account's methods."""
        methods = self.oracle.history(login.account).methods
        return methods[number % len(methods)] if methods else "none"

    def submit(self, challenge: ChallengeHandle, verdict: Verdict, number: int | None = None) -> None:
        """Sign an answer on the phone that was asked, and send it to the push service."""
        issued, phone, nonce = challenge.issued, challenge.phone, self.new("nonce")
        if issued is not None and phone is not None:
            self.oracle.note_signature(phone, issued.challenge, verdict)
            self.answered[challenge.challenge_id] = (verdict, number)
            signed = phone.answer(issued.challenge, verdict, at=self.kafka.now, nonce=nonce, number=number)
            self.send_answer(signed, issued.challenge, nonce)

    def send_answer(self, signed: str, challenge: str, nonce: str) -> None:
        """Send a signed answer to the push service, which publishes it or refuses it."""
        taken = self.push.take(signed, challenge, nonce)
        if taken is not None:
            response, event_id = taken
            self.give(response, event_id=event_id)

    @invariant()
    def all_follows(self) -> None:
        """Each decision follows from what happened, and all stands as it should."""
        self._sound = False
        self.oracle.read()
        self.oracle.check()
        self._sound = True

    def teardown(self) -> None:
        """Let the services catch up, and check what must hold in the end, unless something did not hold already."""
        if self._sound:
            self.pass_time(2 * LONGEST_DELAY_SECONDS)
            self.oracle.read()
            self.oracle.check()
            self.oracle.finish()


@dataclass(frozen=True, slots=True)
class Held:
    """What of a bundle is in a state, such as an open login."""

    bundle: Bundle[Any]
    state: str

    def there(self, machine: ModelMachine) -> bool:
        """Tell whether there is any."""
        return any(getattr(each, self.state) for each in machine.held(self.bundle))


open_logins: Final = Held(logins, "open")
unenrolled: Final = Held(logins, "unenrolled")
looking: Final = Held(logins, "looking")
ready: Final = Held(logins, "ready")
signed_in: Final = Held(logins, "signed_in")
remembered: Final = Held(logins, "remembered")
shown: Final = Held(challenges, "shown")
sent: Final = Held(challenges, "issued")
of_login: Final = Held(challenges, "is_of_login")
orphaned: Final = Held(challenges, "orphaned")
fresh: Final = Held(phrases, "fresh")


def action(*targets: Bundle[Any], **arguments: Any) -> Callable[[RuleT], RuleT]:
    """Make a method a rule that is allowed while there is something of each kind that it takes.

    Args:
        targets: The bundles that take its result.
        arguments: A strategy for each argument, a bundle, or what of a bundle is `Held`.

    """
    held = [each for each in arguments.values() if isinstance(each, Held)]
    strategies: dict[str, Any] = {
        name: each.bundle.filter(attrgetter(each.state)) if isinstance(each, Held) else each
        for name, each in arguments.items()
    }

    def decorate(function: RuleT) -> RuleT:
        made: Any = rule(targets=targets, **strategies)(function)
        for each in held:
            made = precondition(each.there)(made)
        return cast(RuleT, made)

    return decorate


while_idle: Final = precondition(lambda self: not shown.there(self))
"""Allow a rule only while no phone asks anything: what has little to do with it would come in between too often."""
