"""Names of browsers for people."""

from ua_parser import parse

LONGEST_USER_AGENT = 512


def browser_name(user_agent: str) -> str:
    """Return a browser's name for people, for example ``Firefox on Linux``."""
    found = parse(user_agent[:LONGEST_USER_AGENT])
    browser = found.user_agent.family if found.user_agent else "A browser"
    system = found.os.family if found.os else "an unknown system"
    return f"{browser} on {system}"
