"""Starts the login service: ``python -m services.login --help``."""

import gc

gc.disable()  # Imports leave no garbage; collecting during them takes a sixth of the start. `run` enables it.

import sys
from functools import partial

from services.common.instance.runtime import run
from services.common.settings import load_settings
from services.common.telemetry.logs import configure_logs
from services.login.app import make_instance
from services.login.settings import LoginSettings


def main() -> int:
    """Run one instance."""
    settings = load_settings(LoginSettings, "python -m services.login")
    configure_logs("login", settings.log_level)
    return run(partial(make_instance, settings))


if __name__ == "__main__":
    sys.exit(main())
