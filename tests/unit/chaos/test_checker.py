"""The check finds every kind of violation that is planted, in the claim that it contradicts, and nothing else."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lab.chaos.checker import check
from lab.chaos.evidence import RunRecord
from lab.chaos.history import Attempt, Ending, FaultResult, Habit, PhoneAnswer
from lab.chaos.poison import Poison
from lab.chaos.schedule import FaultKind
from schemas.contract import AuthResponse, ChallengeIssued, DevicePaired, Verdict
from schemas.login_messages import SignIn, UseCode
from services.common.rows.fence import Stamp
from services.login.tables import ACCOUNTS as ACCOUNTS_TABLE
from tests.unit.chaos.story import PHONE, Story, an_honest_story

FORMER = Stamp(1, "f" * 22)
"""An owner that began the first term later than the one that stands."""


def test_an_honest_history_holds_and_every_claim_was_checked() -> None:
    for claim in check(*an_honest_story().findings):
        assert claim.violations == (), claim.text
        assert claim.checked > 0, claim.text
        assert claim.holds


def test_a_history_of_nothing_does_not_hold() -> None:
    claims = check(*Story().findings)
    assert [claim.text for claim in claims if claim.holds] == []


def lose_an_answer(story: Story) -> None:
    story.records.remove(story.events(AuthResponse)[1])


def forge_an_answer(story: Story) -> None:
    answered = story.events(AuthResponse)[1]
    message = json.loads(answered.value or b"")
    head, payload, signature = message["answer"].split(".")
    message["answer"] = f"{head}.{payload}.{signature[::-1]}"
    story.change(answered, value=json.dumps(message).encode())


def answer_a_challenge_twice(story: Story) -> None:
    answered = story.events(AuthResponse)[1]
    story.add(
        answered.place.topic,
        answered.key,
        answered.value,
        {**answered.headers, "ce_id": answered.headers["ce_id"] + b"0"},
    )


def answer_once_more(story: Story) -> None:
    """The phone heard nothing, and sends the same answer, signed anew. This contradicts nothing."""
    answered = story.events(AuthResponse)[1]
    message = json.loads(answered.value or b"")
    message["answer"] = PHONE.answer(message["challenge"], nonce="another")
    message["answered_at"] = (answered.at + timedelta(seconds=1)).isoformat()
    story.add(answered.place.topic, answered.key, json.dumps(message).encode(), dict(answered.headers))


def answer_otherwise_too(story: Story) -> None:
    """The phone denies what it has approved, at another instance. The issuer decides that this is late."""
    answered = story.events(AuthResponse)[1]
    message = {**json.loads(answered.value or b""), "verdict": "deny"}
    message["answer"] = PHONE.answer(message["challenge"], Verdict.DENY)
    story.add(answered.place.topic, answered.key, json.dumps(message).encode(), {**answered.headers, "ce_id": b"other"})
    last = account_rows(story)[-1]
    row = data_of(last)
    row["version"] += 1
    row["processed"].append(["other", "auth.response", row["processed"][-1][2], "late"])
    story.write(last, json.dumps(row).encode())


def pair_a_phrase_twice(story: Story) -> None:
    paired = story.events(DevicePaired)[0]
    story.add(paired.place.topic, paired.key, paired.value, {**paired.headers, "ce_id": paired.headers["ce_id"] + b"0"})


def change_a_repeat(story: Story) -> None:
    issued = story.events(ChallengeIssued)[0]
    message = {**json.loads(issued.value or b""), "reply_key": "mallory"}
    story.add(issued.place.topic, issued.key, json.dumps(message).encode(), dict(issued.headers))


def publish_out_of_nothing(story: Story) -> None:
    issued = story.events(ChallengeIssued)[0]
    story.add(issued.place.topic, issued.key, issued.value, {**issued.headers, "ce_id": b"never-was.0"})


def lose_a_command(story: Story) -> None:
    """A command whose decision no row remembers."""
    begun = story.events(SignIn)[0]
    story.add(begun.place.topic, begun.key, begun.value, {**begun.headers, "ce_id": b"lost"})


def tell_of_no_row(story: Story) -> None:
    """A message of a decision that no row has."""
    lose_a_command(story)
    issued = story.events(ChallengeIssued)[-1]
    assert issued.headers["ce_source"] == b"login/accounts"
    story.add(issued.place.topic, issued.key, issued.value, {**issued.headers, "ce_id": b"lost.0"})


def account_rows(story: Story) -> list[RunRecord]:
    """Return the records of the account's rows."""
    return story.rows(ACCOUNTS_TABLE.changelog.name, b"alex")


def data_of(record: RunRecord) -> dict[str, Any]:
    """Return a row's data."""
    data: dict[str, Any] = json.loads(record.value or b"")
    return data


def lose_a_void_decision(story: Story) -> None:
    """The row of an owner that had lost its partition knows what none that counts does."""
    row = account_rows(story)[-2]
    data = data_of(row)
    data["processed"].append(["undone", *data["processed"][-1][1:]])
    story.write(row, json.dumps(data).encode(), FORMER)


def undo(story: Story, **changes: object) -> None:
    """An owner goes on from the row before the last one."""
    before, last = account_rows(story)[-2:]
    story.write(last, json.dumps({**data_of(before), "version": data_of(last)["version"] + 1, **changes}).encode())


def undo_for_a_time(story: Story) -> None:
    """It decides the last event again."""
    last = account_rows(story)[-1]
    undo(story)
    story.write(last, json.dumps({**data_of(last), "version": data_of(last)["version"] + 2}).encode())


def forget_what_it_led_to(story: Story) -> None:
    last = account_rows(story)[-1]
    data = data_of(last)
    assert data["last_outputs"]
    story.write(last, json.dumps({**data, "version": data["version"] + 1, "last_outputs": []}).encode())


def count_back(story: Story) -> None:
    last = account_rows(story)[-1]
    story.write(last, json.dumps({**data_of(last), "version": 1}).encode())


def decide_too_late(story: Story) -> None:
    """The last row comes only after a newer owner wrote the one before it once more, and decided nothing."""
    before, last = account_rows(story)[-2:]
    story.records.remove(last)
    story.write(before, before.value or b"", Stamp(2, "b" * 22))
    story.write(last, last.value or b"")


def heal_what_is_void(story: Story) -> None:
    """This contradicts nothing."""
    before, last = account_rows(story)[-2:]
    story.write(before, before.value or b"", FORMER)
    story.write(last, last.value or b"")


def decide_twice(story: Story) -> None:
    """A later row remembers another outcome of an event."""
    last = account_rows(story)[-1]
    row = data_of(last)
    row["version"] += 1
    row["processed"][-1][-1] = "no_login"
    story.write(last, json.dumps(row).encode())


def use_a_step_twice(story: Story) -> None:
    """A second command with the same step, taken as well."""
    used = story.events(UseCode)[0]
    story.add(used.place.topic, used.key, used.value, {**used.headers, "ce_id": b"again"})
    last = account_rows(story)[-1]
    row = data_of(last)
    row["version"] += 1
    row["processed"].append(["again", *row["processed"][-1][1:-1], "ok"])
    story.write(last, json.dumps(row).encode())


def leave_poison(story: Story) -> None:
    story.plant(Poison.TRUNCATED, story.events(SignIn)[0], dead_letter=False)


def name_another_reason(story: Story) -> None:
    letter = next(each for each in story.records if each.place.topic.endswith(".dlq"))
    story.change(letter, headers={**letter.headers, "dlq_reason": b"unexpected: KeyError: 'x'"})


def alter_a_dead_letter(story: Story) -> None:
    letter = next(each for each in story.records if each.place.topic.endswith(".dlq"))
    story.change(letter, value=b"{}")


def dead_letter_a_good_record(story: Story) -> None:
    story.dead_letter(story.events(SignIn)[0], "unexpected: OSError: no space")


def an_attempt(story: Story, ending: Ending) -> Attempt:
    return next(each for each in story.entries if isinstance(each, Attempt) and each.ending is ending)


def wait_for_ever(story: Story) -> None:
    attempt = an_attempt(story, Ending.REFUSED)
    story.note(attempt, ended=attempt.ended + timedelta(minutes=10))


def end_unclear(story: Story) -> None:
    story.note(an_attempt(story, Ending.REFUSED), ending=Ending.UNCLEAR)


def let_a_denied_one_in(story: Story) -> None:
    story.note(an_attempt(story, Ending.REFUSED), ending=Ending.SIGNED_IN)


def let_a_stranger_in(story: Story) -> None:
    story.entries.append(an_attempt(story, Ending.SIGNED_IN).model_copy(update={"login_digest": "x" * 43}))


def count_a_refused_answer(story: Story) -> None:
    taken = next(each for each in story.entries if isinstance(each, PhoneAnswer) and not each.refusal)
    story.entries.append(taken.model_copy(update={"refusal": "expired"}))


def stay_broken(story: Story) -> None:
    story.note(
        next(each for each in story.entries if isinstance(each, FaultResult)),
        recovered_at=None,
        reason="not ready: login",
    )


def hide_a_request(story: Story) -> None:
    """A phone whose owner means to approve never shows the request."""
    story.note(an_attempt(story, Ending.REFUSED), habit=Habit.APPROVE)


def roll_and_fail(story: Story) -> None:
    attempt = an_attempt(story, Ending.REFUSED)
    story.note(attempt, ending=Ending.UNAVAILABLE, habit=Habit.TWICE)
    strike(story, FaultKind.ROLL, attempt.began, attempt.ended)


def strike(story: Story, kind: FaultKind, began: datetime, mended: datetime) -> None:
    story.entries.append(
        FaultResult(fault=kind, target="login", began_at=began, repaired_at=mended, recovered_at=mended)
    )


def miss_a_poisoned_record(story: Story) -> None:
    story.named.clear()


def name_a_good_record(story: Story) -> None:
    story.named.append("login.commands/0/1")


def leave_an_event_pending(story: Story) -> None:
    story.unchecked = 1


SIGNED_IN = "Every completed sign-in"
ACCEPTED = "Every accepted answer"
REFUSED = "Every refused answer"
ANSWERED_ONCE = "Every answered challenge"
PHRASES = "Every used phrase"
STEPS = "Every time step"
CLEAR = "Every attempt to sign in"
DECIDED = "Every event was decided"
REPEATS = "Every repeat of an event"
OUTCOMES = "Every event has one outcome"
CAUSES = "Every published event"
TOLD = "Every message has a decision"
KEPT = "Every decision in a void row"
REMEMBERED = "Every row that counts"
POISON = "Every poison message"
ONLY_POISON = "Every dead letter"
RECOVERED = "After every fault"
AUDITED = "The audit confirms"
NAMED = "The audit reports"
GOT_IN = "Every approval in time"


@pytest.mark.parametrize(
    ("tamper", "contradicted"),
    [
        (lose_an_answer, {SIGNED_IN, ACCEPTED, CAUSES}),
        (forge_an_answer, {SIGNED_IN}),
        (answer_a_challenge_twice, {SIGNED_IN, ACCEPTED, ANSWERED_ONCE, DECIDED}),
        (answer_once_more, set()),
        (answer_otherwise_too, set()),
        (pair_a_phrase_twice, {PHRASES, DECIDED}),
        (change_a_repeat, {REPEATS}),
        (publish_out_of_nothing, {CAUSES, DECIDED}),
        (lose_a_command, {DECIDED}),
        (tell_of_no_row, {TOLD, DECIDED}),
        (lose_a_void_decision, {KEPT}),
        (undo, {REMEMBERED}),
        (undo_for_a_time, {REMEMBERED}),
        (forget_what_it_led_to, {REMEMBERED}),
        (count_back, {REMEMBERED}),
        (heal_what_is_void, set()),
        (decide_too_late, {KEPT, DECIDED, SIGNED_IN}),
        (decide_twice, {OUTCOMES, SIGNED_IN}),
        (use_a_step_twice, {STEPS, SIGNED_IN}),
        (leave_poison, {POISON, NAMED}),
        (miss_a_poisoned_record, {NAMED}),
        (name_a_good_record, {AUDITED}),
        (leave_an_event_pending, {AUDITED}),
        (name_another_reason, {POISON}),
        (alter_a_dead_letter, {POISON}),
        (dead_letter_a_good_record, {ONLY_POISON}),
        (wait_for_ever, {CLEAR}),
        (end_unclear, {CLEAR}),
        (let_a_denied_one_in, {SIGNED_IN}),
        (let_a_stranger_in, {SIGNED_IN}),
        (count_a_refused_answer, {REFUSED}),
        (stay_broken, {RECOVERED}),
        (hide_a_request, {GOT_IN}),
        (roll_and_fail, {GOT_IN}),
    ],
)
def test_each_violation_is_found(tamper: Callable[[Story], None], contradicted: set[str]) -> None:
    story = an_honest_story()
    tamper(story)
    found = [claim.text for claim in check(*story.findings) if claim.violations]
    assert [text for text in found if not text.startswith(tuple(contradicted))] == []
    assert [text for text in contradicted if not any(each.startswith(text) for each in found)] == []


@pytest.mark.parametrize(("seconds_before", "is_found"), [(0, False), (1, False), (5, True)])
def test_a_clock_excuses_a_failure_only_while_it_is_wrong(seconds_before: int, *, is_found: bool) -> None:
    story = an_honest_story()
    hide_a_request(story)
    attempt = an_attempt(story, Ending.REFUSED)
    mended = attempt.began - timedelta(seconds=seconds_before)
    strike(story, FaultKind.STEP_CLOCK, mended - timedelta(seconds=10), mended)
    found = [claim.text for claim in check(*story.findings) if claim.violations]
    assert any(text.startswith(GOT_IN) for text in found) is is_found
