"""Starts the push service: ``python -m services.push --help``."""

import gc

gc.disable()  # Imports leave no garbage; collecting during them takes a sixth of the start. `run` enables it.

import sys
from functools import partial

from services.common.instance.runtime import run
from services.common.settings import load_settings
from services.common.telemetry.logs import configure_logs
from services.push.app import make_instance
from services.push.settings import PushSettings


def main() -> int:
    """Run one instance."""
    settings = load_settings(PushSettings, "python -m services.push")
    configure_logs("push", settings.log_level)
    return run(partial(make_instance, settings))


if __name__ == "__main__":
    sys.exit(main())
