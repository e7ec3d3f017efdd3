"""By promtool, each alert fires on its scenario, and none fires on a healthy hour."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy" / "monitoring" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
HOUR = 60
WELL = {
    **{f'up{{job="{job}", instance="{job}:1"}}': "1x60" for job in ("login", "pairing", "push")},
    'countersign_ready{job="login", instance="login:1"}': "1x60",
    'countersign_kafka_up{job="login", instance="login:1"}': "1x60",
    'process_start_time_seconds{job="login", instance="login:1"}': "1000x60",
    'countersign_http_requests_total{job="login", status="200"}': "0+100x60",
    'countersign_http_requests_total{job="login", status="503"}': "0+1x60",
    'countersign_event_streams{job="login", instance="login:1"}': "10x60",
    'countersign_event_streams_limit{job="login", instance="login:1"}': "100x60",
    'countersign_device_sockets{job="push", instance="push:1"}': "10x60",
    'countersign_device_sockets_limit{job="push", instance="push:1"}': "100x60",
    'countersign_consumer_lag_records{job="login", topic="login.commands", partition="0"}': "3x60",
    'countersign_consumer_lag_records{job="login", topic="login.emails", partition="0"}': "1x60",
    'countersign_decision_duration_seconds_bucket{job="login", table="accounts", le="0.1"}': "0+10x60",
    'countersign_decision_duration_seconds_bucket{job="login", table="accounts", le="1.0"}': "0+10x60",
    'countersign_decision_duration_seconds_bucket{job="login", table="accounts", le="+Inf"}': "0+10x60",
    'countersign_view_lag_records{job="login", instance="login:1", topic="login-accounts-changelog"}': "2x60",
    'countersign_view_delay_seconds_sum{job="login", instance="login:1", topic="login-accounts-changelog"}': "0+1x60",
    'countersign_view_delay_seconds_count{job="login", instance="login:1", topic="login-accounts-changelog"}': "0+9x60",
    'countersign_taking_over{job="login", instance="login:1"}': "0x60",
    'countersign_dead_letters_total{job="login", instance="login:1", topic="auth.response"}': "0x60",
    'countersign_unexpected_errors_total{job="login", instance="login:1", topic="auth.response"}': "0x60",
    'countersign_void_records_total{job="login", instance="login:1", topic="login-accounts-changelog"}': "0x60",
    'countersign_login_challenges_total{job="login", instance="login:1", outcome="approved"}': "0+9x60",
    'countersign_login_challenges_sent_total{job="login", instance="login:1"}': "0+10x60",
    'countersign_reports_total{job="login", instance="login:1"}': "0x60",
    'countersign_decisions_total{job="login", event="countersign.login.fail_password.v1"}': "0+5x60",
    'countersign_challenges_total{job="push", instance="push:1", outcome="undeliverable"}': "0x60",
}
"""A healthy hour with a sample per minute, in promtool's notation."""


def series(name: str) -> str:
    """Return the only series of the healthy hour whose name starts so."""
    (found,) = (each for each in WELL if each.startswith(name))
    return found


SCENARIOS: dict[str, tuple[dict[str, str], set[str]]] = {
    "the last login instance is gone": (
        {series('up{job="login"'): "1x20 0x40"},
        {"CountersignServiceGone", "CountersignInstanceDown"},
    ),
    "one of two instances is gone": (
        {'up{job="login", instance="login:2"}': "1x20 0x40"},
        {"CountersignInstanceDown"},
    ),
    "an instance cannot take its partitions over": (
        {series("countersign_ready"): "1x20 0x40", series("countersign_taking_over"): "0x20 1x40"},
        {"CountersignNotReady", "CountersignTakingOver"},
    ),
    "kafka is away": ({series("countersign_kafka_up"): "1x20 0x40"}, {"CountersignKafkaAway"}),
    "an instance starts every five minutes": (
        {series("process_start_time_seconds"): " ".join(f"{300 * turn}x4" for turn in range(13))},
        {"CountersignRestartsRepeat"},
    ),
    "one request in ten fails": (
        {series('countersign_http_requests_total{job="login", status="503"'): "0+12x60"},
        {"CountersignRequestsFail"},
    ),
    "pages that wait fill an instance": ({series("countersign_event_streams{"): "85x60"}, {"CountersignRoomRunsOut"}),
    "phones fill an instance": ({series("countersign_device_sockets{"): "85x60"}, {"CountersignRoomRunsOut"}),
    "commands are not decided": (
        {'countersign_consumer_lag_records{job="login", topic="login.commands", partition="1"}': "0+10x60"},
        {"CountersignLagging"},
    ),
    "e-mails are not sent": (
        {'countersign_consumer_lag_records{job="login", topic="login.emails", partition="1"}': "30x60"},
        {"CountersignEmailsWait"},
    ),
    "kafka is slow": (
        {series('countersign_decision_duration_seconds_bucket{job="login", table="accounts", le="0.1"'): "0x60"},
        {"CountersignDecisionsSlow"},
    ),
    "a view is far behind": ({series("countersign_view_lag_records"): "600x60"}, {"CountersignViewsBehind"}),
    "rows show seconds late": ({series("countersign_view_delay_seconds_sum"): "0+100x60"}, {"CountersignViewsBehind"}),
    "one dead letter": ({series("countersign_dead_letters_total"): "0x50 1x10"}, {"CountersignDeadLetters"}),
    "an error that no rule expects": (
        {series("countersign_unexpected_errors_total"): "0x50 1x10"},
        {"CountersignUnexpectedErrors"},
    ),
    "a paused owner woke": ({series("countersign_void_records_total"): "0x50 1x10"}, {"CountersignVoidRecords"}),
    "most requests are not approved": (
        {series("countersign_login_challenges_total"): "0+3x60"},
        {"CountersignFewApprovals"},
    ),
    "four people report a sign-in": ({series("countersign_reports_total"): "0x30 4x30"}, {"CountersignReports"}),
    "an attacker guesses passwords": (
        {series("countersign_decisions_total"): "0+100x60"},
        {"CountersignPasswordsGuessed"},
    ),
    "challenges for phones that never connected": (
        {series("countersign_challenges_total"): "0+2x60"},
        {"CountersignUndeliverable"},
    ),
}
"""The differences from the healthy hour, and the alerts at its end."""


def alerts() -> set[str]:
    """Return the names of all alerts."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"]}


def a_case(name: str, changes: Mapping[str, str], firing: set[str]) -> dict[str, object]:
    """Return a test case of promtool: an hour of samples, and the alerts at its end."""
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in {**WELL, **changes}.items()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{HOUR}m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(firing)],
            }
        ],
    }


def test_every_alert_has_a_scenario_that_fires_it() -> None:
    assert set[str]().union(*(firing for _changes, firing in SCENARIOS.values())) == alerts()


@pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not there; Debian and Ubuntu have it in the package prometheus"
)
def test_each_scenario_fires_exactly_its_alerts(tmp_path: Path) -> None:
    cases = [a_case("all is well", {}, set()), *(a_case(name, *each) for name, each in SCENARIOS.items())]
    path = tmp_path / "alerts-test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": cases}))
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
