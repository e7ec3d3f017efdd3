"""How hard the properties are tried: `quick` by default, the same in every run; `--hypothesis-profile=deep`."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick",
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
    # A busy machine is no failure.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", settings.get_profile("quick"), max_examples=2000, derandomize=False)
settings.load_profile("quick")
