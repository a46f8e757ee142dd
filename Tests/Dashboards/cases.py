#!/usr/bin/env python3
"""Runs queries of panels over made-up series with promtool: `cases.py FOLDER` keeps the test file in FOLDER.

The cases are those that one simulated day with one lkpush does not have: two instances with one database, two regions
with an instance of one name, another environment, an instance that stopped, an organization that was renamed, one
without a name, one without a limit, sessions beyond the last bucket, and bounds as Prometheus writes them when it
scrapes.
"""

import json
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "deploy/grafana/source"))

import dashboards  # noqa: E402
from queries import DEFAULTS, fill  # noqa: E402


def series(name: str, values: str, number: int = 1, **labels: str) -> dict[str, str]:
    pairs = {"environment": "prod", "job": "lkpush", "instance": str(number)} | labels
    text = ", ".join(f'{key}="{value}"' for key, value in pairs.items())
    return {"series": f"{name}{{{text}}}", "values": values}


def both(name: str, values: str, **labels: str) -> list[dict[str, str]]:
    """Two instances report the same."""
    return [series(name, values, number, **labels) for number in (1, 2)]


def regional(name: str, values: dict[str, str], **labels: str) -> list[dict[str, str]]:
    """One instance `lkpush-0` in each region."""
    return [series(name, text, region=region, **labels | {"instance": "lkpush-0"}) for region, text in values.items()]


def idle(step: int) -> str:
    """A counter that is pushed every 4 min for an hour, and grows by `step` in that time."""
    return " ".join(f"{number * step} _x3" for number in range(16))


# One sample a minute. The first instance learns the new name after 10 minutes, the second one after 14.
GIVEN = [
    series("lk_org_info", "1x9 _x50", 1, org_id="a", org_name="Old"),
    series("lk_org_info", "_x9 1x50", 1, org_id="a", org_name="New"),
    series("lk_org_info", "1x13 _x50", 2, org_id="a", org_name="Old"),
    series("lk_org_info", "_x13 1x50", 2, org_id="a", org_name="New"),
    series("lk_org_info", "1x60", 1, org_id="b", org_name="Without a limit"),
    series("lk_participants_active", "3x60", 1, org_id="a"),
    series("lk_participants_active", "5x60", 2, org_id="a"),
    series("lk_participants_active", "0x60", 1, org_id="b"),
    series("lk_participants_active", "1x60", 1, org_id="unknown"),
    series("lk_tracks_active", "2x60", 1, org_id="a", source="camera", type="video"),
    *both("lk_unique_participants", "6x60", org_id="a", window="month"),
    *both("lk_unique_participants", "4x60", org_id="a", window="30d"),
    *both("lk_unique_participants", "0x60", org_id="a", window="7d"),
    *both("lk_participant_total_online_seconds", "3000x60", org_id="a", window="month"),
    *both("lk_org_recording_limit_minutes", "100x60", org_id="a"),
    *both("lk_org_recording_limit_minutes", "0x60", org_id="b"),
    *both("lk_egress_total_duration_seconds", "4500x60", org_id="a", window="month"),
    *both("lk_egress_total_duration_seconds", "600x60", org_id="b", window="month"),
    # Another environment has an instance of the same name. Nothing of it may be shown.
    series("lk_participants_active", "100x60", 1, org_id="a", environment="test"),
    series("lk_participants_active", "7x10 stale", 3, org_id="gone"),
    # Two regions have an instance `lkpush-0`. Another one stopped after 10 minutes, when its version was the old one.
    *regional("lkpush_journal_up", {"eu": "1x60", "us": "0x60", "old": "1x10 stale"}),
    *regional("lkpush_database_up", {"eu": "1x60", "us": "1x60", "old": "1x10 stale"}),
    *regional("lkpush_remote_write_auth_paused", {"eu": "0x60", "us": "1x60", "old": "0x10 stale"}, destination="d"),
    *regional("lkpush_build_info", {"eu": "1x60", "us": "1x60"}, version="2"),
    *regional("lkpush_build_info", {"old": "1x10 stale"}, version="1"),
    *regional("process_start_time_seconds", {"eu": "0+100x4 400x56", "us": "7x60", "old": "7x10 stale"}),
    # 3 events and 1 duplicate a minute; 1 event; 1 duplicate.
    *regional("lk_webhook_events_total", {"eu": "0+3x60", "us": "0+1x60"}, event="room_started"),
    *regional("lk_webhook_duplicates_total", {"eu": "0+1x60", "old": "0+1x60"}),
    # One polls LiveKit's API, one is refused, and one has never polled.
    *regional("lkpush_reconcile_drift", {"eu": "0x20 2x40"}, entity="room", direction="missing"),
    *regional("lkpush_reconcile_last_success_timestamp_seconds", {"eu": "0+60x60", "us": "0x60"}),
    *regional("lkpush_reconcile_requests_total", {"eu": "0+1x60"}, call="ListRooms", code="200"),
    *regional("lkpush_reconcile_requests_total", {"us": "0+1x120"}, call="ListRooms", code="401"),
    *regional("lkpush_reconcile_corrections_total", {"eu": "0+1x120"}, entity="room", action="adopted"),
    # The same second, as a push and as a scrape write it.
    series("lk_webhook_delivery_lag_seconds_bucket", "0+2x60", 1, le="1"),
    series("lk_webhook_delivery_lag_seconds_bucket", "0+3x60", 2, le="1.0"),
    series("lk_webhook_delivery_lag_seconds_bucket", "0+4x60", 2, le="0.05"),
    series("lk_webhook_delivery_lag_seconds_bucket", "0+5x60", 1, le="+Inf"),
    # Three jobs: one pushes, one is scraped, and one has HISTOGRAM_LONG_BUCKETS=false. 4 sessions a minute each.
    series("lk_participant_lifetime_seconds_bucket", "0+2x60", job="scraped", org_id="a", le="2969.0"),
    series("lk_participant_lifetime_seconds_bucket", "0+4x60", job="scraped", org_id="a", le="28800.0"),
    series("lk_participant_lifetime_seconds_bucket", "0+4x60", job="scraped", org_id="a", le="+Inf"),
    series("lk_participant_lifetime_seconds_count", "0+4x60", job="scraped", org_id="a"),
    series("lk_participant_lifetime_seconds_bucket", "0+2x60", job="short", org_id="a", le="2969"),
    series("lk_participant_lifetime_seconds_bucket", "0+4x60", job="short", org_id="a", le="+Inf"),
    series("lk_participant_lifetime_seconds_count", "0+4x60", job="short", org_id="a"),
    series("lk_participant_lifetime_seconds_bucket", "0+1x60", org_id="a", le="2969"),
    series("lk_participant_lifetime_seconds_bucket", "0+3x60", org_id="a", le="28800"),
    series("lk_participant_lifetime_seconds_bucket", "0+4x60", org_id="a", le="+Inf"),
    series("lk_participant_lifetime_seconds_count", "0+4x60", org_id="a"),
    # Usage, pushed every 4 min by two instances of one organization, and by one of another.
    series("lk_connection_seconds_total", idle(240), 1, org_id="a", kind="standard"),
    series("lk_connection_seconds_total", idle(120), 2, org_id="a", kind="standard"),
    series("lk_connection_seconds_total", idle(60), 1, org_id="a", kind="agent"),
    series("lk_connection_seconds_total", idle(30), 1, org_id="b", kind="standard"),
    series("lk_connection_billed_minutes_total", idle(5), 1, org_id="a", kind="standard"),
    # 3 of 12 people lost their connection; agents do not count.
    series("lk_connections_ended_total", "0+9x60", 1, org_id="a", kind="standard", reason="client_initiated"),
    series("lk_connections_ended_total", "0+2x60", 2, org_id="a", kind="standard", reason="media_failure"),
    series("lk_connections_ended_total", "0+1x60", 1, org_id="b", kind="standard", reason="connection_timeout"),
    series("lk_connections_ended_total", "0+9x60", 1, org_id="a", kind="agent", reason="media_failure"),
    # 9 of 10 jobs wait for 1 s at most, one for up to 10 s.
    series("lk_agent_job_wait_seconds_bucket", "0+9x60", 1, org_id="a", agent_name="helper", le="1"),
    series("lk_agent_job_wait_seconds_bucket", "0+10x60", 1, org_id="a", agent_name="helper", le="10"),
    series("lk_agent_job_wait_seconds_bucket", "0+10x60", 1, org_id="a", agent_name="helper", le="+Inf"),
    *regional("lkpush_usage_ahead_seconds", {"eu": "0x60", "us": "90x60"}, usage="connection"),
    *regional("lkpush_usage_rows_waiting", {"eu": "0x60", "us": "12x60", "old": "3x10 stale"}),
    # Two replicas of one log: the first one led for 20 minutes, then the second one.
    series("lkpush_leader", "1x20 0x40", 1),
    series("lkpush_leader", "0x20 1x40", 2),
    *both("lkpush_log_events_behind", "7x60"),
    series("lkpush_log_contact_age_seconds", "1x60", 1),
    series("lkpush_log_contact_age_seconds", "0+60x60", 2),
    series("lkpush_spill_events", "0x60", 1),
    series("lkpush_spill_events", "0x20 5x40", 2),
    series("lkpush_leaderships_total", "1x60", 1),
    series("lkpush_leaderships_total", "0x20 1x40", 2),
    series("lkpush_readings_held_total", "0+4x60", 2),
    series("lkpush_log_append_duration_seconds_bucket", "0+9x60", 1, le="0.01"),
    series("lkpush_log_append_duration_seconds_bucket", "0+10x60", 1, le="+Inf"),
]

Result = dict[str, float]


def named(name: str) -> Result:
    return {f'{{org_id="a", org_name="{name}"}}': 8, '{org_id="b", org_name="Without a limit"}': 0} | {
        '{org_id="unknown", org_name="unknown"}': 1
    }


def of_regions(values: dict[str, float], **labels: str) -> Result:
    pairs = {"instance": "lkpush-0", "job": "lkpush"} | labels
    text = ", ".join(f'{key}="{value}"' for key, value in pairs.items())
    return {f'{{{text}, region="{region}"}}': value for region, value in values.items()}


def of_replicas(values: dict[str, float]) -> Result:
    return {f'{{instance="{number}", job="lkpush"}}': value for number, value in values.items()}


ONLINE = ("lkpush-platform", "People online, largest organizations", 0)

# Dashboard, panel, number of the query, minute, what comes of it.
EXPECTED: list[tuple[tuple[str, str, int], int, Result]] = [
    (ONLINE, 5, named("Old") | {'{org_id="gone", org_name="gone"}': 7}),
    (ONLINE, 30, named("New")),
    (("lkpush-platform", "Near the recording limit", 0), 30, {'{org_id="a", org_name="New"}': 0.75}),
    (("lkpush-platform", "Near the recording limit", 2), 30, {'{org_id="a", org_name="New"}': 100}),
    (("lkpush-platform", "Most users and time online this month", 0), 30, {'{org_id="a", org_name="New"}': 6}),
    (("lkpush-platform", "Most users and time online this month", 2), 30, {'{org_id="a", org_name="New"}': 8}),
    (("lkpush-platform", "Quiet organizations", 0), 30, {'{org_id="a", org_name="New"}': 4}),
    (("lkpush-organization", "Recording limit used", 0), 30, {"{}": 0.75}),
    (("lkpush-organization", "Recorded minutes of this month, and the limit", 1), 30, {"{}": 100}),
    (("lkpush-organization", "Active users", 2), 30, {"{}": 6}),
    (("lkpush-organization", "Average time online per user", 2), 30, {"{}": 500}),
    (("lkpush-organization", "Camera, microphone and screen share", 0), 30, {"{}": 0.25}),
    (("lkpush-organization", "Camera, microphone and screen share", 1), 30, {"{}": 0}),
    # 1 of 4, 0 of 4 and 2 of 4 are beyond the last bucket.
    (("lkpush-organization", "Is the session length complete?", 0), 60, {"{}": 0.25}),
    # The one that stopped is there while it runs, and not afterwards.
    (("lkpush-pipeline", "Journal", 0), 5, of_regions({"eu": 1, "us": 0, "old": 1})),
    (("lkpush-pipeline", "Journal", 0), 30, of_regions({"eu": 1, "us": 0})),
    (("lkpush-pipeline", "Database", 0), 30, of_regions({"eu": 1, "us": 1})),
    (("lkpush-pipeline", "Credentials", 0), 30, of_regions({"eu": 0, "us": 1}, destination="d")),
    (("lkpush-pipeline", "Instances and versions", 0), 5, {'{version="1"}': 1, '{version="2"}': 2}),
    (("lkpush-pipeline", "Instances and versions", 0), 30, {'{version="2"}': 2}),
    (("lkpush-pipeline", "Up for", 0), 30, of_regions({"eu": 1400, "us": 1793})),
    (("lkpush-pipeline", "Restarts", 0), 30, of_regions({"eu": 4, "us": 0, "old": 0})),
    (("lkpush-pipeline", "Duplicates", 0), 30, of_regions({"eu": 0.25, "us": 0, "old": 1})),
    (
        ("lkpush-pipeline", "Differences to LiveKit's API", 0),
        30,
        of_regions({"eu": 2}, direction="missing", entity="room"),
    ),
    (("lkpush-pipeline", "Age of the last successful poll", 0), 30, of_regions({"eu": 0})),
    (
        ("lkpush-pipeline", "Failed requests to LiveKit's API", 0),
        120,
        of_regions({"us": 60}, call="ListRooms", code="401"),
    ),
    (("lkpush-pipeline", "Corrections by action", 0), 120, of_regions({"eu": 60}, action="adopted", entity="room")),
    (
        ("lkpush-pipeline", "Delivery lag, all of it", 0),
        30,
        {'{le="0.05"}': 20, '{le="1"}': 25, '{le="+Inf"}': 25},
    ),
    (("lkpush-organization", "Connection minutes of this month", 0), 60, {'{kind="standard"}': 90, '{kind="agent"}': 15}),
    (("lkpush-organization", "Billed minutes of this month", 0), 60, {'{kind="standard"}': 75}),
    (("lkpush-organization", "Waiting time of agents", 1), 60, {"{}": 5.5}),
    (("lkpush-platform", "Connection minutes per hour", 0), 60, {'{kind="standard"}': 97.5, '{kind="agent"}': 15}),
    (
        ("lkpush-platform", "Most connection minutes this month", 0),
        60,
        {'{org_id="a", org_name="New"}': 105, '{org_id="b", org_name="Without a limit"}': 7.5},
    ),
    (("lkpush-platform", "People who lost their connection", 0), 60, {"{}": 0.25}),
    (("lkpush-pipeline", "Usage ahead of its sum", 0), 30, of_regions({"eu": 0, "us": 90}, usage="connection")),
    (("lkpush-pipeline", "Rows of usage that wait", 0), 30, of_regions({"eu": 0, "us": 12})),
    (("lkpush-pipeline", "Who leads", 0), 10, of_replicas({"1": 1, "2": 0})),
    (("lkpush-pipeline", "Who leads", 0), 30, of_replicas({"1": 0, "2": 1})),
    (("lkpush-pipeline", "Events not applied yet", 0), 30, of_replicas({"1": 7, "2": 7})),
    (("lkpush-pipeline", "Events not applied yet", 1), 30, of_replicas({"1": 1, "2": 1800})),
    (("lkpush-pipeline", "Append time of the log", 0), 30, of_replicas({"1": 0.005555555555555556})),
    (("lkpush-pipeline", "Events on their own disks", 0), 30, of_replicas({"1": 0, "2": 5})),
    (("lkpush-pipeline", "Events on their own disks", 1), 30, {}),
    (("lkpush-pipeline", "Changes of the leader", 0), 60, of_replicas({"1": 0, "2": 1})),
    (("lkpush-pipeline", "Readings held", 0), 30, of_replicas({"2": 4})),
    (("lkpush-platform", "People online", 0), 5, {"{}": 16}),
    (("lkpush-platform", "People online", 0), 30, {"{}": 9}),
    (("lkpush-platform", "Organizations online", 0), 30, {"{}": 2}),
    (("lkpush-platform", "Recordings running", 0), 30, {"{}": 0}),
    (("lkpush-organization", "Rooms open", 0), 30, {"{}": 0}),
    # After the end of everything nothing is shown, not even a 0.
    (("lkpush-pipeline", "Journal", 0), 120, {}),
    (("lkpush-platform", "People online", 0), 120, {}),
    (("lkpush-platform", "Recordings running", 0), 120, {}),
    (("lkpush-organization", "People online", 0), 120, {}),
    (("lkpush-organization", "Rooms open", 0), 120, {}),
    (("lkpush-organization", "Active users", 0), 120, {}),
]


def main() -> int:
    panels = {(each.uid, panel.title): panel for each in dashboards.ALL for panel in each.panels}
    values = DEFAULTS | {"org_id": "a", "__range": "1h"}
    tests = []
    for (dashboard, title, number), minute, result in EXPECTED:
        tests.append(
            {
                "expr": fill(panels[dashboard, title].queries[number].expr, values),
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in result.items()],
            }
        )
    path = pathlib.Path(sys.argv[1]) / "cases.yaml"
    case = {"interval": "1m", "input_series": GIVEN, "promql_expr_test": tests}
    # JSON is YAML.
    path.write_text(json.dumps({"evaluation_interval": "1m", "tests": [case]}))
    return subprocess.run(["promtool", "test", "rules", str(path)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
