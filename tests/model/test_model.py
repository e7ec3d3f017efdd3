"""Whatever people, phones, an attacker, an administrator and the machines do in any order: what must hold, holds."""

from typing import Any

from hypothesis import settings

from tests.model.attacker import ForgedAnswers, ForgedPairings, LateAnswers, Thief
from tests.model.faults import Faults, Repeats
from tests.model.memory_kafka import TABLES, MemoryKafka
from tests.model.people import People
from tests.model.sessions import Clock, Operator, Sessions
from tests.model.typed_codes import Codes, EnrolmentCodes, Guesses


class SignIns(ForgedAnswers, Codes, Clock):
    """People sign in by phones and codes, and an attacker wants in."""


class Enrolments(ForgedPairings, EnrolmentCodes, Guesses, Operator, People, Clock):
    """People enrol and pair phones, and an attacker would pair another."""


class Accounts(Sessions, Operator, LateAnswers, Thief, Codes, Clock):
    """People come and go and change their accounts, and an attacker uses what was good once."""


class Services(Faults, ForgedAnswers, ForgedPairings, People, Clock):
    """Instances and Kafka fail while people and an attacker go on."""


class RepeatsAlone(Repeats, Codes, Sessions, Clock):
    """Whatever comes again in between, the rows end the same."""

    def teardown(self) -> None:
        """Compare with what the same commands lead to where nothing comes again."""
        super().teardown()
        assert _rows(self.kafka) == _rows(self.without_repeats())


EXAMPLES = settings().max_examples
TestSignIns, TestEnrolments, TestAccounts = SignIns.TestCase, Enrolments.TestCase, Accounts.TestCase
TestServices, TestRepeats = Services.TestCase, RepeatsAlone.TestCase
TestSignIns.settings = TestAccounts.settings = settings(max_examples=EXAMPLES * 5 // 6)
TestEnrolments.settings = TestServices.settings = settings(max_examples=EXAMPLES // 2)
TestRepeats.settings = settings(max_examples=EXAMPLES // 5)


def _rows(kafka: MemoryKafka) -> dict[tuple[str, str], Any]:
    return {(table.name, key): row for table in TABLES for key, row in kafka.rows(table).items()}
