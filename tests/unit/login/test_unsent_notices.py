"""Where no mail server is set, a notice is left at a line in the log."""

from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from schemas.codec import encode
from services.common.dead_letters import DeadLetters
from services.common.publisher import Publisher
from services.login.letters import Letters
from services.login.notices import Notices
from tests.builders import an_event
from tests.unit.login.test_letters import CODES, a_notice


async def test_without_a_mail_server_nothing_is_sent_and_nothing_set_aside() -> None:
    record = encode(an_event(a_notice(), event_id="event-1"))
    came = ConsumerRecord("login.notices", 0, 7, 0, 0, record.key, record.value, None, 0, 0, record.headers)
    unreachable = DeadLetters(Publisher("kafka.invalid:9092", "", "login"), "", "login")
    letters = Letters("Account Manager", "https://account.example.org", "", CODES)
    with capture_logs() as lines:
        await Notices(letters, None, unreachable).handle(came)
    (line,) = lines
    assert line["event"] == "a notice was not sent: no mail server is set"
    assert (line["event_id"], line["notice"]) == ("event-1", "phone_paired")
    assert "zoe@example.org" not in repr(lines)
