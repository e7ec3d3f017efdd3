"""Creates Kafka's class archive (class data sharing), which speeds up later starts, by running a temporary Kafka once.

deploy/bootstrap runs it, which also verifies that Kafka works on this machine.
"""

import tempfile
from pathlib import Path

from deploy.local.kafka.embedded import EmbeddedKafka
from operations.kafka_tools import ARCHIVE


def main() -> None:
    """Create the archive atomically."""
    unfinished = ARCHIVE.with_suffix(".new")
    with tempfile.TemporaryDirectory() as directory:
        kafka = EmbeddedKafka(Path(directory), java_options=[f"-XX:ArchiveClassesAtExit={unfinished}"])
        kafka.start()
        kafka.stop()
    unfinished.replace(ARCHIVE)


if __name__ == "__main__":
    main()
