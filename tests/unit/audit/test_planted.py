"""An audit reports exactly the record that was planted, altered or removed, with the reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from operations.audit.bound_table import BoundTable
from operations.audit.record_store import StoredRecord
from operations.audit.report import Finding
from schemas.codec import Event, Record, encode
from schemas.contract import AuthResponse, ChallengeIssued, DevicePaired, PairingFailed, Verdict
from schemas.login_messages import EmailDue, FailPassword, SignIn
from services.common.decisions import Decision, Row, decide_once
from services.common.rows.codec import write_row
from services.common.rows.fence import Stamp
from services.login.domain.account import Push
from tests.builders import Phone, a_key, an_event
from tests.events import a_challenge, a_login_challenge, a_paired, a_response
from tests.model.memory_kafka import ACCOUNTS, CHANNELS, PHRASES
from tests.session_messages import a_reset, an_address
from tests.unit.audit.history import PHONE, RecordedWorld, a_story, of_type, place_of


@pytest.fixture
def world() -> RecordedWorld:
    """Return a valid history."""
    return a_story().world


def test_an_untouched_history_follows(world: RecordedWorld) -> None:
    report = world.audit()
    assert (report.follows, report.found, report.findings) == (True, 0, [])
    assert report.unchecked.total() == 0
    rows = sum(len(world.rows_of(table)) for table in (ACCOUNTS, CHANNELS, PHRASES))
    assert report.checked.total() > rows


def _set(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        assert name in data
        data[name] = value

    return change


def _forget_events(data: dict[str, Any]) -> None:
    data["processed"] = []


def _scramble(data: dict[str, Any]) -> None:
    data.clear()


def _end_otherwise(data: dict[str, Any]) -> None:
    data["processed"][-1][-1] = "locked"


def _apply_again(data: dict[str, Any]) -> None:
    data["processed"].append(data["processed"][0])


@pytest.mark.parametrize("number", [2, 5, -1])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_set("email", "mallory@example.org"), "differs in email"),
        (_set("passwords", {"others": {"failures": 4}}), "differs in passwords"),
        (_set("devices", []), "differs in devices"),
        (_end_otherwise, "by the rules it is 'ok'"),
        (_apply_again, "events for 1 decisions"),
        (_scramble, "it is not a row of the table accounts"),
        (_set("version", 0), "it has version 0 and follows version"),
        (_forget_events, "no event was applied since the previous row, but it differs"),
    ],
)
def test_an_altered_row_is_named(
    world: RecordedWorld, number: int, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    rows = [each for each in world.rows_of(ACCOUNTS) if each.key == b"alex"]
    if number == 2 and "differs in devices" in why:
        number = 6  # there was no phone yet
    world.alter(rows[number], change)
    finding = world.finding()
    assert (finding.place, finding.type) == (place_of(rows[number]), "row of accounts")
    assert why in finding.why


def test_a_row_that_was_planted_on_top_is_named(world: RecordedWorld) -> None:
    row = world.row(ACCOUNTS, "alex")
    planted = replace(row, version=row.version + 1, password_hash="$argon2id$mallory")
    assert "password_hash" in _planted(world, ACCOUNTS, planted).why


def test_a_row_that_leaps_ahead_is_named(world: RecordedWorld) -> None:
    row = world.row(ACCOUNTS, "alex")
    planted = replace(row, version=row.version + 1000, password_hash="$argon2id$mallory")
    assert "though no row was compacted there" in _planted(world, ACCOUNTS, planted).why


def test_another_row_of_the_same_version_is_named(world: RecordedWorld) -> None:
    planted = replace(world.row(ACCOUNTS, "alex"), push=Push())
    assert "it has version 12 and follows version 12" in _planted(world, ACCOUNTS, planted).why


def test_what_is_no_row_is_named(world: RecordedWorld) -> None:
    world.write(ACCOUNTS, b"alex", b'{"version":99}')
    assert "it is not a row of the table accounts" in world.finding().why


def test_a_row_that_was_written_by_hand_is_named(world: RecordedWorld) -> None:
    world.keep(Record(ACCOUNTS.changelog.name, b"alex", write_row(world.row(ACCOUNTS, "alex")), []))
    assert world.finding().why == "it has no owner's stamp"


@pytest.mark.parametrize("key", [None, b"", b"\0void/alex", b"\xff"])
def test_a_record_whose_key_is_no_rows_is_named(world: RecordedWorld, key: bytes | None) -> None:
    world.keep(Record(ACCOUNTS.changelog.name, key, b"{}", [Stamp(9, "x" * 22).header()]))
    assert world.finding().why == "its key is not a row's"


def test_a_row_that_was_deleted_by_hand_is_named(world: RecordedWorld) -> None:
    world.keep(Record(ACCOUNTS.changelog.name, b"alex", None, []))
    finding = world.finding()
    assert finding.place == place_of(world.rows_of(ACCOUNTS)[-1])
    assert finding.why == "the row was deleted without an event"


def test_a_decision_of_an_event_that_never_was_is_named(world: RecordedWorld) -> None:
    event = an_event(of_type(world, SignIn).event().data, at=world.now, event_id="never")
    decision: Decision[Any] = _decide(world, ACCOUNTS, event)
    assert decision.row is not None
    assert "it applied the event never of" in _planted(world, ACCOUNTS, decision.row).why


def _planted(world: RecordedWorld, table: BoundTable, row: Row) -> Finding:
    record = world.write(table, b"alex", write_row(row))
    finding = world.finding()
    assert finding.place == place_of(record)
    return finding


def _decide(world: RecordedWorld, table: BoundTable, event: Any) -> Decision[Any]:
    return decide_once(world.row(table, event.data.key), event, table.decide)


MALLORY = Phone("Mallory's", a_key("mallory's phone"))


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (lambda: a_response(a_login_challenge(key=a_key("mallory"))), "which is not a key of the login service"),
        (lambda: a_response(a_challenge(key=a_key("mallory"))), "which is not a key of the pairing service"),
        (lambda: a_response(a_login_challenge(), phone=MALLORY), "another device answered"),
        (lambda: a_response(a_login_challenge(), Verdict.DENY, answer="e30.e30.e30"), ""),
        (lambda: a_response(a_login_challenge(jti="login-x")), "its id is not that of the answer"),
    ],
)
def test_a_forged_response_is_named(world: RecordedWorld, response: Callable[[], AuthResponse], why: str) -> None:
    world.command(response())
    forged = of_type(world, AuthResponse)
    world.settle()
    finding = world.finding()
    assert (finding.place, finding.type) == (place_of(forged), AuthResponse.type)
    assert why in finding.why


def test_an_altered_verdict_is_named(world: RecordedWorld) -> None:
    denied = of_type(world, AuthResponse)
    world.alter(denied, _set("verdict", "approve"))
    finding = world.finding()
    assert finding.place == place_of(denied)
    assert finding.why == "the record says verdict 'approve', but 'deny' was signed"


def test_the_same_answer_signed_anew_is_the_same_message(world: RecordedWorld) -> None:
    denied = of_type(world, AuthResponse).event()
    assert isinstance(denied.data, AuthResponse)
    anew = PHONE.answer(denied.data.challenge, Verdict.DENY, at=world.now, nonce="another")
    again = denied.data.model_copy(update={"answer": anew, "answered_at": world.now})
    world.command(again, denied.id)
    world.settle()
    assert world.audit().findings == []
    world.command(again.model_copy(update={"challenge_id": "login-x"}), denied.id)
    world.settle()
    assert world.finding().why == "an earlier message with this id has other content"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seal": "A" * 43}, "its seal is invalid"),
        ({}, "its source 'test' does not publish messages of this"),
        ({"account_id": "bo"}, "its source 'test' does not publish messages of this"),
        ({"challenge": a_challenge(key=a_key("mallory"))}, "which is not a key of the pairing service"),
    ],
)
def test_a_forged_pairing_is_named(world: RecordedWorld, change: dict[str, Any], why: str) -> None:
    world.command(a_paired("pairing-x" if "challenge" not in change else "pairing-1", world.now, phone=PHONE, **change))
    forged = of_type(world, DevicePaired)
    world.settle()
    finding = world.finding()
    assert finding.place == place_of(forged)
    assert why in finding.why


def test_a_message_that_is_nowhere_is_named_with_the_row_that_led_to_it(world: RecordedWorld) -> None:
    world.command(an_address("alex@example.org", world.now))
    world.settle()
    world.command(a_reset(world.now))
    world.settle()
    notice = of_type(world, EmailDue)
    world.drop(notice)
    finding = world.finding()
    assert finding.place == place_of(world.rows_of(ACCOUNTS)[-1])
    assert finding.why == f"it leads to {EmailDue.type} {notice.event().id}, which is missing in login.emails"


@pytest.mark.parametrize("kind", [AuthResponse, ChallengeIssued, DevicePaired])
def test_a_row_that_applied_a_missing_message_is_named_too(world: RecordedWorld, kind: type[Any]) -> None:
    gone = of_type(world, kind)
    world.drop(gone)
    reasons = [each.why for each in world.audit().findings]
    from_decision = kind is not AuthResponse
    assert not from_decision or any(
        f"it leads to {kind.type} {gone.event().id}, which is missing in" in why for why in reasons
    )
    assert any(f"it applied the event {gone.event().id}" in why for why in reasons)


CAUSES = ["nowhere", "of a command", "none", "decided, and led to nothing"]


@pytest.mark.parametrize("cause", CAUSES)
def test_a_message_without_a_decision_is_named(world: RecordedWorld, cause: str) -> None:
    failed = PairingFailed(pairing_id="pairing-x", account_id="alex", reason="declined")
    causes = {
        "nowhere": ("gone.0", "there is no event gone that could have caused it"),
        "none": ("e5", "its id is not derived from an event's id"),
        "of a command": ("e5.0", "its source 'test' does not publish messages of this"),
        "decided, and led to nothing": (
            f"{of_type(world, AuthResponse, 0).event().id}.1",
            "the decision of pairing/phrases on the event in its id has no message like this",
        ),
    }
    event_id, why = causes[cause]
    _publish(world, failed, event_id, "test" if cause == "of a command" else "pairing/phrases")
    finding = world.finding()
    assert finding.place == place_of(of_type(world, PairingFailed))
    assert why in finding.why


def test_another_message_under_the_id_of_a_decision_is_named(world: RecordedWorld) -> None:
    issued = of_type(world, ChallengeIssued)
    world.alter(issued, _set("reply_key", "bo"))
    first, *_consequences = world.audit().findings
    assert (first.place, first.why) == (place_of(issued), "its reply_key is not the signed one")


def test_an_email_without_a_decision_is_named(world: RecordedWorld) -> None:
    notice = EmailDue(
        account_id="alex", account_name="A", sign_in_name="a", address="a@b.c", kind="phone_paired", at=world.now
    )
    _publish(world, notice, f"{of_type(world, FailPassword).event().id}.0", "login/accounts")
    assert "the decision of login/accounts on the event in its id has no message like this" in world.finding().why


def test_a_second_command_under_one_id_is_named(world: RecordedWorld) -> None:
    wrong = of_type(world, FailPassword)
    other = wrong.event().data.model_copy(update={"account_id": "bo"})
    _publish(world, other, wrong.event().id, "test")
    finding = world.finding()
    assert finding.place == place_of(of_type(world, FailPassword))
    assert "an earlier message with this id has other content" in finding.why


def test_what_is_no_message_is_named(world: RecordedWorld) -> None:
    world.keep(Record("auth.response", b"alex", b"{}", [("ce_type", b"countersign.auth.response.v9")]))
    assert world.finding().why == "it is not a valid message: unknown type, or none: countersign.auth.response.v9"


def test_what_is_no_message_takes_nothing_from_a_later_one_under_its_id(world: RecordedWorld) -> None:
    data = of_type(world, FailPassword).event().data.model_copy(update={"at": world.now})
    event = Event("twice", world.now, "test", "", data)
    cut = encode(event)
    world.keep(Record(cut.topic, cut.key, (cut.value or b"")[:10], cut.headers))
    world.publish(event)
    world.settle()
    assert world.finding().why.startswith("it is not a valid message: does not fit countersign.login.fail_password.v1")


def test_an_event_that_was_never_decided_is_named(world: RecordedWorld) -> None:
    lost = an_event(of_type(world, FailPassword).event().data, at=world.now, event_id="lost")
    world.keep(encode(lost))
    assert world.finding().why == "login/accounts neither decided nor dead-lettered it"


def _publish(world: RecordedWorld, message: Any, event_id: str, source: str) -> StoredRecord:
    world.publish(Event(event_id, world.now, source, "", message))
    world.settle()
    return world.records[message.topic.name][-1]
