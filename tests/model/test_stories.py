"""The whole flow, honestly: what one service decides leads to the next, up to an open session."""

from schemas.contract import DeviceUnpaired, Verdict
from schemas.topics import AUTH_RESPONSE, LOGIN_COMMANDS
from services.login.domain.login import LoginState
from tests.builders import a_phone
from tests.model.memory_kafka import ACCOUNTS, PHRASES, Reader
from tests.model.people import People

PHONE = a_phone()
COMMANDS, RESPONSES = (Reader(topic.name, ACCOUNTS) for topic in (LOGIN_COMMANDS, AUTH_RESPONSE))


def test_a_phone_is_paired_and_lets_the_login_in() -> None:
    people = People()
    login = people.pair("alex", PHONE)
    account = people.kafka.row(ACCOUNTS, "alex")
    assert [device.device_id for device in account.devices] == [PHONE.device_id]
    assert login.state is LoginState.APPROVED
    assert len(account.sessions) == 1


def test_a_later_login_goes_straight_to_the_phone() -> None:
    people = People()
    people.pair("alex", PHONE)
    assert people.sign_in("alex").shown


def test_a_phone_is_asked_no_more_to_pair_once_the_login_was_cancelled() -> None:
    people = People()
    login = people.sign_in("alex")
    people.ask_for_phrase(PHONE)
    pairing = people.type_phrase(login)
    assert pairing.shown
    people.cancel(login)
    assert not pairing.shown


def test_a_phone_whose_login_was_cancelled_while_it_accepted_is_told() -> None:
    people = People()
    login = people.sign_in("alex")
    people.ask_for_phrase(PHONE)
    pairing = people.type_phrase(login)
    people.lagging = True
    people.approve(pairing)
    people.kafka.step(Reader(AUTH_RESPONSE.name, PHRASES))
    people.cancel(login)
    people.kafka.settle()
    assert people.kafka.row(ACCOUNTS, "alex").devices == ()
    assert [each.device_id for each in people.kafka.published(DeviceUnpaired)] == [PHONE.device_id]


def test_a_challenge_that_a_crash_swallowed_reaches_the_phone_even_if_another_topic_goes_on_first() -> None:
    people = People()
    people.pair("alex", PHONE)
    first = people.sign_in("alex")
    people.lagging = True
    people.cancel(first)
    people.submit(first, Verdict.DENY)
    second = people.sign_in("alex")
    people.kafka.step(COMMANDS)
    people.kafka.crash(COMMANDS)
    people.kafka.step(RESPONSES)
    people.kafka.settle()
    assert second.shown
