"""Rehearsed settings: the logins that they would have stopped, and those that they would have let pass."""

from typing import Any

import pytest

from operations.audit.time_range import TimeRange
from operations.rehearsal.initial_state import history_of
from operations.rehearsal.rehearsal import Rehearsal, rehearse_records
from schemas.contract import Verdict
from schemas.login_messages import FailCode, SignIn
from services.common.throttle import PauseLimits
from services.login.domain.attempts import NO_ATTEMPTS
from tests.builders import LIMITS, at_most, policy
from tests.messages import a_code
from tests.model.memory_kafka import ACCOUNTS
from tests.unit.audit.history import PHONE, Story, of_type


@pytest.fixture
def story() -> Story:
    """Return a person who paired a phone an hour ago."""
    story = Story()
    story.then(lambda: story.people.open_app(PHONE))
    story.pair()
    story.world.pass_time(3600)
    return story


def rehearsed(story: Story, time_range: TimeRange | None = None, **changes: Any) -> Rehearsal:
    return rehearse_records(story.world.record_store(), LIMITS, policy(**changes).limits, time_range or TimeRange())


def test_a_request_too_many_would_have_stopped_a_login(story: Story) -> None:
    for _ in range(3):
        story.sign_in()
    third = of_type(story.world, SignIn).event().time
    rehearsal = rehearsed(story, challenges=at_most(2))
    (stopped,) = rehearsal.stopped
    assert (stopped.account_id, stopped.began_at) == ("alex", third)
    assert (stopped.present, stopped.why) == ("approved by push", "push paused")
    assert (rehearsal.logins, rehearsal.stops, rehearsal.passes) == (4, 1, 0)
    assert rehearsal.agreeing == rehearsal.decisions > 0


def test_the_same_settings_change_nothing(story: Story) -> None:
    for verdict in (Verdict.APPROVE, Verdict.DENY, Verdict.REPORT):
        story.sign_in(verdict)
    rehearsal = rehearsed(story)
    assert (rehearsal.stopped, rehearsal.passed, rehearsal.logins) == ([], [], 4)


def test_void_rows_change_nothing(story: Story) -> None:
    story.sign_in()
    expected = rehearsed(story, challenges=at_most(1))
    rows = [each for each in story.world.rows_of(ACCOUNTS) if each.key == b"alex"]
    before = story.world.take_over(ACCOUNTS)
    for row in rows[:3]:
        story.world.write(ACCOUNTS, b"alex", row.value, before)
    assert rehearsed(story, challenges=at_most(1)) == expected


def test_an_answer_that_would_have_come_too_late_would_have_stopped_a_login(story: Story) -> None:
    story.then(lambda: story.people.sign_in("alex"))
    story.world.pass_time(60)
    story.answer()
    (stopped,) = rehearsed(story, challenge_seconds=30).stopped
    assert (stopped.changed, stopped.why) == ("not answered", "late")


def test_a_pause_that_would_not_have_been_lets_a_code_pass(story: Story) -> None:
    story.then(lambda: story.people.sign_in("alex"))
    login = story.world.row(ACCOUNTS, "alex").logins[-1].login_id
    device = story.world.row(ACCOUNTS, "alex").devices[0].method_id
    wrong = FailCode(account_id="alex", at=story.world.now, login_id=login)
    for _ in range(5):
        story.then(lambda: story.world.command(wrong.model_copy(update={"at": story.world.now})))
    story.then(lambda: story.world.command(a_code(7, login, story.world.now, device)))
    (passed,) = rehearsed(story, codes=PauseLimits(tries=20, pause_seconds=1, longest_pause_seconds=3600)).passed
    assert (passed.present, passed.changed, passed.why) == (
        "not answered",
        "approved by phone code",
        "codes paused",
    )


def test_a_pause_that_would_have_been_shorter_lets_a_login_begin(story: Story) -> None:
    for _ in range(5):
        story.then(lambda: story.people.mistype_password("alex", browser="home"))
    story.then(lambda: story.people.sign_in("alex"))
    (passed,) = rehearsed(story, passwords=PauseLimits(tries=20, pause_seconds=1, longest_pause_seconds=3600)).passed
    assert (passed.present, passed.changed, passed.why) == ("refused: locked", "not answered", "locked")


def test_only_logins_of_the_span_count_but_what_was_before_counts_for_them(story: Story) -> None:
    story.sign_in()
    story.sign_in()
    since = story.world.now
    story.sign_in()
    rehearsal = rehearsed(story, TimeRange(since=since), challenges=at_most(2))
    assert (rehearsal.logins, len(rehearsal.stopped)) == (1, 1)


def test_an_account_whose_first_rows_are_gone_begins_with_nothing_counted(story: Story) -> None:
    for _ in range(40):
        story.then(lambda: story.people.mistype_password("alex", browser="home"), 3700)
    for _ in range(3):
        story.sign_in()
    rows = [each for each in story.world.rows_of(ACCOUNTS) if each.key == b"alex"]
    for row in rows[:-1]:
        story.world.drop(row)
    rehearsal = rehearsed(story, challenges=at_most(2))
    assert (rehearsal.approximate, len(rehearsal.stopped)) == (1, 1)
    history = history_of([rows[-1]], story.world.record_store().of_key(ACCOUNTS.reads, b"alex"), TimeRange().since)
    assert history.initial is not None
    assert (history.initial.devices, history.initial.passwords) == ((), NO_ATTEMPTS)
