"""How a class of Kafka is run: the Java program, the jars, the options."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

JARS: Final = Path(__file__).parents[1] / ".run" / "kafka-jars"
"""Where deploy/bootstrap puts Kafka's jars."""
ARCHIVE: Final = JARS / "classes.jsa"
"""The classes that a start loads, parsed ahead (class data sharing): the start takes 1.6 s with it instead of 2.5 s."""
SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1",)
"""For a broker that lives for minutes: no time goes into the optimizing compiler, which pays off after some 20,000
records. The start takes 1.8 s of CPU with it instead of 3.6 s."""
_LOGGING: Final = Path(__file__).with_name("log4j2.xml")


class KafkaMissingError(Exception):
    """Kafka's jars are not there."""

    def __init__(self) -> None:
        super().__init__(f"Kafka's jars are not in {JARS}; `make setup` brings them.")


def java_command(main_class: str, arguments: Sequence[str], log_path: Path, options: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a class of Kafka.

    Args:
        main_class: The class, for example ``kafka.Kafka``.
        arguments: Its arguments.
        log_path: The file that it logs to.
        options: Options of the Java machine on top of the usual ones.

    Raises:
        KafkaMissingError: If the jars have not been fetched.

    """
    jars = sorted(JARS.glob("*.jar"))
    if not jars:
        raise KafkaMissingError
    home = os.environ.get("JAVA_HOME")
    return [
        str(Path(home, "bin", "java")) if home else "java",
        "-Xmx512m",
        # Java maps its archive only if it fits the jars and the Java version, else it starts without.
        *([f"-XX:SharedArchiveFile={ARCHIVE}"] if ARCHIVE.exists() else []),
        f"-Dlog4j2.configurationFile={_LOGGING}",
        "-Dlog4j2.disableJmx=true",
        f"-Dcountersign.kafka.log={log_path}",
        *options,
        "-cp",
        os.pathsep.join(map(str, jars)),
        main_class,
        *arguments,
    ]
