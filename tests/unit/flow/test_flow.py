"""The whole flow, honestly: what one service decides leads to the next, up to an open session."""

from schemas.contract import DeviceUnpaired, Verdict
from schemas.topics import AUTH_RESPONSE, PUSH_COMMANDS
from services.login.domain.login import LoginState
from tests.unit.flow.people import PHONES, PHRASES, People
from tests.unit.flow.world import ACCOUNTS, CHANNELS, Place, World
from tests.unit.flow.world import PHRASES as PHRASES_TABLE

PHONE = PHONES[0]


def _paired() -> People:
    people = People(World())
    people.open_app(PHONE)
    people.sign_in("alex")
    people.ask_for_phrase(PHONE, PHRASES[0])
    people.world.settle()
    people.enter_phrase("alex", 0, PHRASES[0])
    people.world.settle()
    people.answer(PHONE, 0, Verdict.APPROVE)
    people.world.settle()
    return people


def test_a_phone_is_paired_and_lets_the_login_in() -> None:
    people = _paired()
    account = people.world.row(ACCOUNTS, "alex")
    assert [device.device_id for device in account.devices] == [PHONE.device_id]
    assert account.logins[0].state is LoginState.PAIRED
    people.ask_phone("alex", 0)
    people.world.settle()
    people.answer(PHONE, 0, Verdict.APPROVE)
    people.world.settle()
    account = people.world.row(ACCOUNTS, "alex")
    assert account.logins[0].state is LoginState.APPROVED
    assert len(account.sessions) == 1


def test_a_later_login_goes_straight_to_the_phone() -> None:
    people = _paired()
    people.sign_in("alex")
    people.world.settle()
    assert len(people.shown(PHONE)) == 1


def _asked_to_pair() -> People:
    people = People(World())
    people.sign_in("alex")
    people.ask_for_phrase(PHONE, PHRASES[0])
    people.world.settle()
    people.enter_phrase("alex", 0, PHRASES[0])
    people.world.settle()
    return people


def test_a_phone_is_asked_no_more_to_pair_once_the_login_was_cancelled() -> None:
    people = _asked_to_pair()
    assert len(people.shown(PHONE)) == 1
    people.cancel("alex", 0)
    people.world.settle()
    assert people.shown(PHONE) == ()


def test_a_phone_whose_login_was_cancelled_while_it_accepted_is_told() -> None:
    people = _asked_to_pair()
    people.answer(PHONE, 0, Verdict.APPROVE)
    people.world.step(Place(PUSH_COMMANDS.name, CHANNELS))
    people.world.step(Place(AUTH_RESPONSE.name, PHRASES_TABLE))
    people.cancel("alex", 0)
    people.world.settle()
    assert people.world.row(ACCOUNTS, "alex").devices == ()
    assert [each.device_id for each in people.world.published(DeviceUnpaired)] == [PHONE.device_id]
