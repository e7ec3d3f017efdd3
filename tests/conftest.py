"""What all tests share."""

pytest_plugins = ["tests.broker", "tests.properties"]
