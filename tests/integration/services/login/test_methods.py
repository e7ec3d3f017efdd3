"""An account's methods: phones added, chosen, renamed and removed, authenticator apps, recovery codes."""

import re
from urllib.parse import parse_qs, urlsplit

from deploy.local.stack import Stack
from schemas.contract import DeviceUnpaired, Verdict
from tests.authenticator_app import App
from tests.integration.services.login.people import PHONE, Person, PlayedPhone, come_back, expect_message, last_entry
from tests.integration.services.wire import Wire

OTHER = "Old tablet"


async def add_app(person: Person, name: str = "Spare app") -> App:
    """Add an app from the account's page."""
    await person.browser.press("add-app")
    app = App(person.browser.part("secret").text)
    await person.browser.press("submit", name=name, code=app.code())
    person.is_signed_in()
    return app


async def add_phone(person: Person, phone: PlayedPhone) -> None:
    """Pair a further phone, from the account's page."""
    await person.browser.press("add-phone")
    person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
    await person.accept_pairing(phone)
    await person.browser.press("ok")
    person.is_signed_in()


async def make_recovery_codes(person: Person) -> list[str]:
    """Make recovery codes on the account's page; return what is shown."""
    await person.browser.press("make-codes")
    person.browser.expect("RECOVERY CODES")
    codes = person.browser.part("recovery-codes").text.split()
    await person.browser.press("done")
    return codes


async def test_the_picture_the_link_and_the_text_give_an_app_the_same(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("add-app")
    uri = urlsplit(person.browser.part("otpauth").attributes["href"])
    parameters = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert person.name in uri.path
    assert parameters["issuer"] == ["Account Manager"]
    assert parameters["secret"] == [person.browser.part("secret").text.replace(" ", "")]


async def test_an_app_is_added_by_its_first_code_and_signs_in_with_the_next(person: Person) -> None:
    await person.first_sign_in()
    app = await add_app(person)
    assert "Spare app" in person.browser.part("app-row").text
    assert last_entry(person).startswith("Added Spare app")
    await come_back(person)
    await person.enter_code(app.code(1))
    person.is_signed_in()
    assert last_entry(person).startswith("Signed in, with a code from Spare app")


async def test_an_app_whose_first_code_is_wrong_is_not_added_and_keeps_its_secret(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("add-app")
    secret = person.browser.part("secret").text
    app = App(secret)
    await person.browser.press("submit", name="Spare app", code=f"{(int(app.code()) + 1) % 10**6:06}")
    expect_message(person, "That code did not match", "enter the code that the app shows now")
    assert person.browser.part("secret").text == secret
    assert person.browser.part("app-name").attributes["value"] == "Spare app"
    await person.browser.press("submit", code=app.code())
    person.is_signed_in()
    assert "Spare app" in person.browser.part("app-row").text


async def test_an_app_is_removed_and_its_codes_are_taken_no_more(person: Person) -> None:
    await person.first_sign_in()
    app = await add_app(person)
    await person.browser.press("remove", "Spare app")
    assert not person.browser.has("app-row")
    await come_back(person)
    await person.enter_code(app.code(1))
    expect_message(person, "That code did not match")


async def test_without_its_phone_an_account_with_an_app_is_asked_for_a_code(person: Person) -> None:
    await person.first_sign_in()
    app = await add_app(person)
    await person.browser.press("remove", PHONE)
    assert not person.browser.has("device-row")
    await come_back(person)
    person.browser.expect("ENTER A VERIFICATION CODE")
    assert not person.browser.has("use-push")
    await person.browser.press("submit", code=app.code(1))
    person.is_signed_in()


async def test_a_recovery_code_signs_in_once(person: Person) -> None:
    await person.first_sign_in()
    codes = await make_recovery_codes(person)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", code) for code in codes)
    assert "10 of 10 are left" in person.browser.part("recovery-left").text
    await come_back(person)
    await person.enter_code(codes[3].lower().replace("-", " "))
    person.is_signed_in()
    assert "9 of 10 are left" in person.browser.part("recovery-left").text
    assert "A recovery code was used" in person.browser.text
    await come_back(person)
    await person.enter_code(codes[3])
    expect_message(person, "This code was already used", "Cross this one out")
    await person.enter_code(codes[4])
    person.is_signed_in()


async def test_new_recovery_codes_take_the_place_of_the_old_ones(person: Person) -> None:
    await person.first_sign_in()
    old, new = await make_recovery_codes(person), await make_recovery_codes(person)
    await come_back(person)
    await person.enter_code(old[0])
    expect_message(person, "That code did not match", "Codes from an earlier list no longer work")
    await person.enter_code(new[0])
    person.is_signed_in()


async def test_a_second_phone_is_added_and_asked_once_it_is_chosen(person: Person, wire: Wire, stack: Stack) -> None:
    second = PlayedPhone(wire, stack.secrets, OTHER)
    await person.first_sign_in()
    await add_phone(person, second)
    assert person.browser.parts("device-name") == [PHONE, OTHER]
    assert "asked first" in person.browser.parts("device-row")[0]
    await person.browser.press("choose", OTHER)
    assert person.browser.parts("device-row")[0].startswith(f"{OTHER} asked first")
    assert last_entry(person).startswith(f"{OTHER} is now asked first")
    await come_back(person)
    assert person.browser.part("device-name").text == OTHER
    await person.answer(Verdict.APPROVE, second)
    person.is_signed_in()


async def test_a_challenge_can_be_sent_to_either_phone(person: Person, wire: Wire, stack: Stack) -> None:
    second = PlayedPhone(wire, stack.secrets, OTHER)
    await person.first_sign_in()
    await add_phone(person, second)
    async with person.in_another_browser() as other:
        await other.enter_password()
        await come_back(person)
        person.browser.expect("ONE REQUEST AT A TIME")
        await other.browser.press("cancel")
    await person.wait()
    person.browser.expect("SEND THE REQUEST")
    assert OTHER in person.browser.text
    await person.browser.press("send", phone=person.browser.page.choices["phone"][OTHER])
    assert person.browser.part("device-name").text == OTHER
    await person.answer(Verdict.APPROVE, second)
    person.is_signed_in()


async def test_a_pairing_that_was_begun_from_the_account_can_be_canceled(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("add-phone")
    person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
    await person.browser.press("cancel")
    await person.browser.open("/account")
    person.is_signed_in()


async def test_a_phone_is_renamed(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("rename", name="  Work phone ")
    assert person.browser.parts("device-name") == ["Work phone"]
    assert last_entry(person).startswith("Renamed to Work phone")
    assert "Firefox on Linux, 127.0.0.1" in last_entry(person)
    await person.browser.press("rename", name="   ")
    expect_message(person, "A name is needed")
    assert person.browser.parts("device-name") == ["Work phone"]


async def test_the_last_phone_stays(person: Person) -> None:
    await person.first_sign_in()
    await person.browser.press("remove")
    expect_message(person, "This is your last method", "Add another phone or app first")
    await person.browser.open("/account")
    assert person.browser.parts("device-name") == [PHONE]


async def test_a_phone_that_is_removed_is_notified_and_is_asked_no_more(
    person: Person, wire: Wire, stack: Stack
) -> None:
    second = PlayedPhone(wire, stack.secrets, OTHER)
    await person.first_sign_in()
    await add_phone(person, second)
    await person.browser.press("remove", PHONE)
    assert person.browser.parts("device-name") == [OTHER]
    assert last_entry(person).startswith(f"Removed {PHONE}")
    unpaired = await wire.next(DeviceUnpaired, lambda each: each.device_id == person.phone.device_id)
    assert unpaired.statement is not None
    await come_back(person)
    assert person.browser.part("device-name").text == OTHER
    await person.answer(Verdict.APPROVE, second)
    person.is_signed_in()


async def test_a_lost_phone_is_replaced_with_a_code_of_the_old_one(person: Person, wire: Wire, stack: Stack) -> None:
    new = PlayedPhone(wire, stack.secrets, OTHER)
    await person.pair_only()
    await person.sign_in_by_code()
    await add_phone(person, new)
    await person.browser.press("remove", PHONE)
    assert person.browser.parts("device-name") == [OTHER]
    await come_back(person)
    await person.answer(Verdict.APPROVE, new)
    person.is_signed_in()
