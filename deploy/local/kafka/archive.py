"""Start and stop a throw-away Kafka once, and keep the classes that it loaded for the starts to come.

Run by deploy/bootstrap. It shows as well that Kafka works on this machine at all.
"""

import tempfile
from pathlib import Path

from deploy.local.kafka.embedded import EmbeddedKafka
from operations.kafka_tools import ARCHIVE


def main() -> None:
    """Make the archive; one that was made half is never taken for whole."""
    unfinished = ARCHIVE.with_suffix(".new")
    with tempfile.TemporaryDirectory() as directory:
        kafka = EmbeddedKafka(Path(directory), java_options=[f"-XX:ArchiveClassesAtExit={unfinished}"])
        kafka.start()
        kafka.stop()
    unfinished.replace(ARCHIVE)


if __name__ == "__main__":
    main()
