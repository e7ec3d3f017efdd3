"""Sessions: revoked, remembered, confirmed before a change, and ended by a report or by another password."""

import asyncio
import re

from typer.testing import CliRunner

from cli.accounts import app
from deploy.local.stack import Stack
from lab.testkit.person import Visitor
from schemas.contract import Verdict
from services.login.admin import administration
from tests.builders import present
from tests.integration.services.login.people import (
    NEW_PASSWORD,
    PASSWORD,
    PHONE,
    Person,
    come_back,
    expect_message,
    last_entry,
    message,
)

TRIES = 5


async def sign_in_remembered(person: Person) -> None:
    """Pair the phone, and sign in with it in a browser that is to be remembered."""
    await person.pair_only()
    await person.enter_password(remember="on")
    await person.approve()


async def change_password(visitor: Visitor, old: str = PASSWORD, new: str = NEW_PASSWORD) -> None:
    """Change the password on its page."""
    await visitor.browser.press("submit", old=old, new=new)


async def test_another_browser_is_signed_out_from_here(person: Person) -> None:
    await person.first_sign_in()
    async with person.in_another_browser() as other:
        await other.enter_password()
        await other.enter_code(person.phone.code())
        rows = other.browser.parts("session-row")
        assert len(rows) == 2
        assert "this browser" in rows[0]
        await other.browser.press("revoke")
        assert len(other.browser.parts("session-row")) == 1
        assert last_entry(other).startswith("Signed out from another browser")
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"


async def test_a_remembered_browser_signs_in_by_the_password_alone_until_it_is_forgotten(person: Person) -> None:
    await sign_in_remembered(person)
    assert len(person.browser.parts("remembered-row")) == 1
    await come_back(person)
    person.is_signed_in()
    assert last_entry(person).startswith("Signed in, in a remembered browser")
    await person.browser.press("forget")
    assert person.browser.parts("remembered-row") == []
    await come_back(person)
    person.browser.expect("CHECK YOUR PHONE")


async def test_a_browser_that_was_not_asked_to_be_remembered_is_not(person: Person) -> None:
    await sign_in_remembered(person)
    async with person.in_another_browser() as other:
        await other.enter_password()
        await other.enter_code(person.phone.code())
        other.is_signed_in()
        await come_back(other)
        other.browser.expect("CHECK YOUR PHONE")


async def test_changes_need_the_second_factor_first(person: Person) -> None:
    await sign_in_remembered(person)
    await come_back(person)
    person.is_signed_in()
    assert not any(map(person.browser.has, ("change", "add-phone", "add-app", "make-codes")))
    await person.browser.open("/account/app")
    assert person.browser.path == "/account"
    await person.browser.press("confirm")
    await person.approve()
    assert last_entry(person).startswith("Confirmed before a change, approved on")
    assert all(map(person.browser.has, ("change", "add-phone", "add-app", "make-codes")))


async def test_a_form_that_skips_the_second_factor_changes_nothing(person: Person, stack: Stack) -> None:
    await sign_in_remembered(person)
    await come_back(person)
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        account = accounts.view.get(person.account_id)
    fields = {"method_id": present(account).devices[0].method_id, "name": "Mine", "old": PASSWORD, "new": NEW_PASSWORD}
    for path in ("phones", "methods/rename", "methods/choose", "methods/remove", "recovery-codes", "password"):
        await person.browser.submit(f"/account/{path}", **fields)
        await person.browser.open("/")
        person.is_signed_in()
        assert last_entry(person).startswith("Signed in, in a remembered browser")
        assert person.browser.parts("device-name") == [PHONE]


async def test_a_confirmation_that_is_declined_changes_nothing_and_keeps_the_session(person: Person) -> None:
    await sign_in_remembered(person)
    await come_back(person)
    await person.browser.press("change-password")
    await person.browser.press("confirm")
    person.browser.expect("CHECK YOUR PHONE")
    await person.answer(Verdict.DENY)
    expect_message(person, "Declined on the phone", "Nothing was confirmed")
    await person.browser.press("back")
    person.is_signed_in()
    assert person.browser.has("confirm")


async def test_a_confirmation_from_the_password_s_page_leads_back_there(person: Person) -> None:
    await sign_in_remembered(person)
    await come_back(person)
    await person.browser.press("change-password")
    await person.browser.press("confirm")
    await person.answer(Verdict.APPROVE)
    person.browser.expect("CHANGE THE PASSWORD")
    await change_password(person)
    person.is_signed_in()


async def test_a_code_confirms_as_well(person: Person) -> None:
    await sign_in_remembered(person)
    await come_back(person)
    await person.browser.press("confirm")
    await person.browser.press("use-code")
    await person.browser.press("submit", code=person.phone.code())
    person.is_signed_in()
    assert person.browser.has("add-app")


async def test_the_new_password_signs_in_and_other_browsers_are_out(person: Person) -> None:
    await person.first_sign_in()
    async with person.in_another_browser() as other:
        await other.enter_password()
        await other.enter_code(person.phone.code())
        await other.browser.press("change-password")
        await change_password(other)
        other.is_signed_in()
        assert last_entry(other).startswith("Password changed, other browsers signed out")
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"
    await person.enter_password()
    expect_message(person, "That did not match")
    await person.enter_password(NEW_PASSWORD)
    await person.approve()


async def test_each_password_that_will_not_do_says_why(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("change-password")
    assert int(person.browser.part("new-password").attributes["minlength"]) == 12
    refused = {
        "short": "at least 12 characters",
        f"{person.name} {person.name}": "must not contain your name",
        "Account Manager 2026!": "must not contain your name or the product's name",
        "password1234": "among the first that an attacker would try",
        "aaaaaaaaaaaaaaaaaaaa": "Choose another one.",
        PASSWORD: "This is your current password.",
    }
    for password, text in refused.items():
        await change_password(person, new=password)
        expect_message(person, "Choose another password", text)
    await change_password(person)
    person.is_signed_in()


async def test_wrong_old_passwords_are_counted_as_at_a_sign_in(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("change-password")
    for _ in range(TRIES - 1):
        await change_password(person, old="not the password")
        assert message(person) == ("The current password did not match", "Enter the password that you signed in with.")
    await change_password(person, old="not the password")
    expect_message(person, "Sign-in is paused", "you can try again in")


async def test_a_report_signs_all_browsers_out_and_asks_for_another_password(person: Person) -> None:
    await person.first_sign_in()
    async with person.in_another_browser() as stranger:
        await stranger.enter_password()
        await person.phone.answer(await person.phone.asked(), Verdict.REPORT)
        await stranger.wait()
        expect_message(stranger, "Sign-in reported", "signed out all browsers")
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"

    await person.enter_password()
    person.browser.expect("NO REQUESTS TO THE PHONE")
    assert not person.browser.has("send")
    await person.browser.press("use-code")
    await person.browser.press("submit", code=person.phone.code())
    person.browser.expect("CHANGE THE PASSWORD")
    assert "Someone else may know your password" in person.browser.text
    assert "a sign-in from Firefox on Linux, 127.0.0.1 was reported with" in person.browser.text
    await person.browser.open("/account")
    person.browser.expect("CHANGE THE PASSWORD")

    await change_password(person)
    person.is_signed_in()
    assert not person.browser.has("reported")
    await person.sign_out()
    await person.enter_password(NEW_PASSWORD)
    await person.approve()


async def test_the_old_password_opens_nothing_after_a_report_and_a_change(person: Person) -> None:
    await person.pair_only()
    await person.enter_password()
    await person.answer(Verdict.REPORT)
    expect_message(person, "Sign-in reported")
    await person.enter_password()
    await person.enter_code(person.phone.code())
    await change_password(person)
    person.is_signed_in()
    await person.sign_out()
    await person.enter_password()
    expect_message(person, "That did not match")


async def test_an_administrator_s_password_is_for_one_sign_in(person: Person, stack: Stack) -> None:
    await person.first_sign_in()
    places = ["--kafka", stack.bootstrap, "--topic-prefix", stack.topic_prefix]
    places += ["--secrets-directory", str(stack.secrets)]
    made = await asyncio.to_thread(CliRunner().invoke, app, ["password", person.name, *places])
    assert made.exit_code == 0, made.output
    (password,) = re.findall(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", made.output)
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"
    await person.enter_password()
    expect_message(person, "That did not match")
    await person.enter_password(password)
    await person.answer(Verdict.APPROVE)
    person.browser.expect("CHANGE THE PASSWORD")
    assert "An administrator set your current password for one sign-in" in person.browser.text
    await person.browser.open("/account")
    person.browser.expect("CHANGE THE PASSWORD")
    await change_password(person, password)
    person.is_signed_in()
