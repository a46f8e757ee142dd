"""lkpush itself: from the webhook to the receiver, and what it needs for that."""

from . import reconciliation, replicas, sending, usage
from .panel import (
    AMOUNT,
    ANY_LKPUSH,
    BYTES,
    COUNT,
    ENVIRONMENT,
    EVENTS_PER_SECOND,
    ITS_NAME,
    JOB,
    ONE,
    RATE,
    REQUESTS_PER_SECOND,
    SECONDS,
    SHARE,
    Dashboard,
    Graph,
    HeatMap,
    Query,
    Row,
    Stat,
    Threshold,
    Variable,
    by_bound,
    quantiles,
)

BAD_FROM_ONE = (Threshold(1, "red"),)
# Every lkpush that pushes has all reasons of the first one. The second one begins with the first refusal.
DROPPED = "sum(increase(lkpush_remote_write_samples_dropped_total{DEST}[$__range]))"
REJECTED = "sum(increase(lkpush_remote_write_samples_rejected_total{DEST}[$__range]))"
LOST = f"{DROPPED} + ({REJECTED} or {DROPPED} * 0)"

# One that has neither events nor duplicates has no value.
EVENTS = f"sum by ({ONE}) (rate(lk_webhook_events_total{{SELF}}[{RATE}]))"
DUPLICATES = f"sum by ({ONE}) (rate(lk_webhook_duplicates_total{{SELF}}[{RATE}]))"
DUPLICATES_OF_ALL = f"({DUPLICATES} or {EVENTS} * 0) / (({DUPLICATES} + {EVENTS} or {EVENTS} or {DUPLICATES}) > 0)"

HEALTH = Row(
    "Health at a glance",
    (
        Stat(
            title="Last push",
            shows="The time since each destination last confirmed a request.",
            normal="below a minute; up to 4 minutes with IDLE_PUSH_INTERVAL.",
            otherwise="nothing at all: lkpush does not push here; look at its log. For one destination: see *Answers "
            "by status code* and *Requests without an answer* below.",
            unit=SECONDS,
            decimals=0,
            base="green",
            thresholds=(Threshold(270, "orange"), Threshold(300, "red")),
            no_value="not pushing",
            queries=(
                Query(
                    "{{destination}} " + ITS_NAME,
                    f"time() - min by ({ONE}, destination)"
                    " (lkpush_remote_write_last_success_timestamp_seconds{DEST} > 0)",
                ),
            ),
        ),
        Stat(
            title="Credentials",
            shows="Whether a destination refused the credentials (401, 403, 407), so that everything waits.",
            normal="accepted.",
            otherwise="put a valid token where GRAFANA_API_KEY comes from. The receiver concerned cannot show this: "
            "look at another destination or at `/metrics`.",
            unit=COUNT,
            words={0: ("accepted", "green"), 1: ("refused", "red")},
            no_value="not pushing",
            queries=(
                Query(
                    "{{destination}} " + ITS_NAME,
                    f"max by ({ONE}, destination) (lkpush_remote_write_auth_paused{{DEST}})",
                ),
            ),
        ),
        Stat(
            title="Journal",
            shows="Whether the journal can be written. Without it webhooks are answered 503.",
            normal="writable.",
            otherwise="LiveKit repeats a webhook for about 15 s, then its event is lost: look at *State disk* and at "
            "the log at once.",
            unit=COUNT,
            words={1: ("writable", "green"), 0: ("not writable", "red")},
            no_value="no lkpush here",
            queries=(Query(ITS_NAME, f"min by ({ONE}) (lkpush_journal_up{{SELF}})"),),
        ),
        Stat(
            title="Database",
            shows="Whether the database is connected.",
            normal="connected.",
            otherwise="no webhook is lost: rows wait. Look at *Rows that wait for the database* and at the log.",
            unit=COUNT,
            words={1: ("connected", "green"), 0: ("away", "red")},
            no_value="no lkpush here",
            queries=(Query(ITS_NAME, f"min by ({ONE}) (lkpush_database_up{{SELF}})"),),
        ),
        Stat(
            title="Samples lost",
            shows="Samples that were dropped, or refused for good, in the shown time.",
            normal="0.",
            otherwise="*Lost samples by reason* below says why.",
            unit=COUNT,
            decimals=0,
            base="green",
            thresholds=BAD_FROM_ONE,
            no_value="not pushing",
            queries=(Query("samples", LOST),),
        ),
        Stat(
            title="Webhooks refused",
            shows="Webhooks that were not accepted in the shown time.",
            normal="0, but for strangers who try the address.",
            otherwise="*Refused webhooks by reason* below says why.",
            unit=COUNT,
            decimals=0,
            base="green",
            thresholds=(Threshold(1, "orange"),),
            no_value="no lkpush here",
            queries=(Query("webhooks", "sum(increase(lkpush_webhook_rejected_total{SELF}[$__range]))"),),
        ),
        Stat(
            title="Instances and versions",
            shows="The lkpush that report, by version.",
            normal="as many as run, all of one version.",
            otherwise="a missing one does not push or does not run; two versions are an unfinished upgrade.",
            unit=COUNT,
            decimals=0,
            width=5,
            no_value="no lkpush here",
            queries=(
                Query(
                    "{{version}}",
                    f"count by (version) (count by ({ONE}, version) (lkpush_build_info{{SELF}}))",
                ),
            ),
        ),
        Stat(
            title="Up for",
            shows="The time since each lkpush started.",
            normal="since the last upgrade.",
            otherwise="seconds: it restarts again and again; its log says why it ended.",
            unit=SECONDS,
            decimals=0,
            width=5,
            no_value="no lkpush here",
            queries=(Query(ITS_NAME, f"time() - max by ({ONE}) (process_start_time_seconds{{SELF}})"),),
        ),
        Stat(
            title="Restarts",
            shows="Starts of each lkpush in the last hour, the first one not counted.",
            normal="0, or 1 or 2 at an upgrade.",
            otherwise="more than 3 are a loop, and the alert LkpushRestartLoop: its log, or that of the system, says "
            "why it ended.",
            unit=COUNT,
            decimals=0,
            width=5,
            base="green",
            thresholds=(Threshold(4, "red"),),
            no_value="no lkpush here",
            queries=(Query(ITS_NAME, f"sum by ({ONE}) (changes(process_start_time_seconds{{SELF}}[1h]))"),),
        ),
        Stat(
            title="Message version",
            shows="The version of remote write that is sent to each destination.",
            normal="2.0 where the receiver reads it, else 1.0.",
            otherwise="1.0 at a receiver that reads 2.0: set REMOTE_WRITE_MESSAGE, and look for a proxy that changes "
            "headers.",
            unit=COUNT,
            width=5,
            shows_name=True,
            no_value="not pushing",
            queries=(
                Query(
                    "{{destination}} {{version}} " + ITS_NAME,
                    f"max by ({ONE}, destination, version) (lkpush_remote_write_message{{DEST}} == 1)",
                ),
            ),
        ),
        Stat(
            title="Dead letters and damage",
            shows="Since the start: rows that the database refused and that are kept in the journal, and damaged "
            "parts of the state.",
            normal="0.",
            otherwise="the article PostgreSQL says how to read the rows that were set aside. Damage: replace the disk.",
            unit=COUNT,
            decimals=0,
            base="green",
            thresholds=BAD_FROM_ONE,
            no_value="no lkpush here",
            queries=(
                Query("dead letters " + ITS_NAME, f"sum by ({ONE}) (lkpush_rows_set_aside_total{{SELF}})"),
                Query("damaged parts " + ITS_NAME, f"sum by ({ONE}) (lkpush_state_damaged_total{{SELF}})"),
            ),
        ),
    ),
)

WEBHOOKS = Row(
    "Webhooks",
    (
        Graph(
            title="Webhook events",
            shows="Events per second that were applied, by their name. Duplicates are not counted.",
            normal="follows the working day.",
            otherwise="nothing in business hours: LiveKit does not send. Check its webhook settings, and the address "
            "from outside.",
            unit=EVENTS_PER_SECOND,
            is_stacked=True,
            width=12,
            queries=(Query("{{event}}", f"sum by (event) (rate(lk_webhook_events_total{{SELF}}[{RATE}]))"),),
        ),
        Graph(
            title="Refused webhooks by reason",
            shows="Webhooks per second that were not accepted.",
            normal="none, but for strangers who try the address.",
            otherwise="`bad_signature`, `unknown_key`: the secret differs from LiveKit's. `expired`, `not_yet_valid`: "
            "a clock is wrong. `wrong_path`: LiveKit's webhook address is wrong. `queue_full`, `commit_late`: see the "
            "queue and the journal.",
            unit=REQUESTS_PER_SECOND,
            width=12,
            queries=(
                Query(
                    "{{reason}} " + ITS_NAME,
                    f"sum by ({ONE}, reason) (rate(lkpush_webhook_rejected_total{{SELF}}[{RATE}])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Delivery lag",
            shows="From the creation of an event in LiveKit to its arrival. LiveKit tells whole seconds, so half a "
            "second is as good as none.",
            normal="p99 below 2 s.",
            otherwise="above 10 s LiveKit retries or the clocks differ: see *Clocks* and *Duplicates*.",
            unit=SECONDS,
            thresholds=(Threshold(10, "red"),),
            queries=quantiles("SELF", "lk_webhook_delivery_lag_seconds", RATE, (50, 99), ONE, ITS_NAME),
        ),
        HeatMap(
            title="Delivery lag, all of it",
            shows="How many events arrived with which lag, of all instances together. Each event is in one "
            "cell.",
            normal="one dark band below 1 s.",
            otherwise="a second band above is one sender or one kind of event that is late.",
            unit=SECONDS,
            min=None,
            queries=(
                Query("{{le}}", by_bound("increase(lk_webhook_delivery_lag_seconds_bucket{SELF}[$__interval])")),
            ),
        ),
        Graph(
            title="Duplicates",
            shows="Webhooks whose event had been received before, as a share of all webhooks.",
            normal="below 1 %.",
            otherwise="from 10 % on, and more than 3 a minute, the alert HighDuplicateRate begins. Answers come too "
            "late, so LiveKit sends again: see *Commit time of the journal*.",
            unit=SHARE,
            decimals=2,
            thresholds=(Threshold(0.1, "red"),),
            no_value="no events",
            queries=(Query(ITS_NAME, DUPLICATES_OF_ALL),),
        ),
        Graph(
            title="Event queue",
            shows="Events between listener and recorder, requests that wait for room, and the room there is. With "
            "several instances that of the smallest.",
            normal="near 0.",
            otherwise="at the limit LiveKit is answered 503 and sends again: the disk is slow or the CPU is used up.",
            unit=COUNT,
            decimals=0,
            limits=("room",),
            width=12,
            queries=(
                Query("events " + ITS_NAME, f"sum by ({ONE}) (lkpush_webhook_queue_events{{SELF}})"),
                Query("waiting requests " + ITS_NAME, f"sum by ({ONE}) (lkpush_webhook_requests_waiting{{SELF}})"),
                Query("room", "min(lkpush_webhook_queue_capacity_events{SELF})"),
            ),
        ),
        Graph(
            title="Lookup failures by reason",
            shows="Events per hour whose organization could not be found.",
            normal="none.",
            otherwise="`room_not_found`: the room has no row. `no_organization`, `no_org_id`: the row is not "
            "complete. `lookup_error`: the database is slow. The log names the rooms.",
            unit=AMOUNT,
            no_value="none",
            width=12,
            queries=(
                Query(
                    "{{reason}} " + ITS_NAME,
                    f"sum by ({ONE}, reason) (increase(lk_org_lookup_failures_total{{SELF}}[1h]))",
                    shows_failures=True,
                ),
            ),
        ),
    ),
)

STATE = Row(
    "Journal, state and database",
    (
        Graph(
            title="Commit time of the journal",
            shows="The time of a commit, which every webhook waits for.",
            normal="p99 below 50 ms.",
            otherwise="the disk is slow or shared: LiveKit gets its answers late and sends again.",
            unit=SECONDS,
            queries=quantiles("SELF", "lkpush_journal_commit_seconds", RATE, (50, 99), ONE, ITS_NAME),
        ),
        Graph(
            title="Commits of the journal",
            shows="Commits per second by result, and events per second that they hold.",
            normal="done only. Many events in one commit are normal under load.",
            otherwise="failed ones: the disk is full or broken; see *State disk*.",
            unit=AMOUNT,
            queries=(
                Query(
                    "{{result}} " + ITS_NAME,
                    f"sum by ({ONE}, result) (rate(lkpush_journal_commits_total{{SELF}}[{RATE}]))",
                ),
                Query("events " + ITS_NAME, f"sum by ({ONE}) (rate(lkpush_journal_events_total{{SELF}}[{RATE}]))"),
            ),
        ),
        Graph(
            title="State disk",
            shows="What lkpush may still write to the file system of STATE_DIR, and what the journal takes of it. "
            "The line is the size of the disk, with several instances of the smallest.",
            normal="more than a tenth of the disk is free.",
            otherwise="at 0 no webhook is accepted: free space, or give it a larger disk.",
            unit=BYTES,
            limits=("size",),
            queries=(
                Query("free " + ITS_NAME, f"min by ({ONE}) (lkpush_state_disk_free_bytes{{SELF}})"),
                Query("journal " + ITS_NAME, f"max by ({ONE}) (lkpush_journal_size_bytes{{SELF}})"),
                Query("size", "min(lkpush_state_disk_size_bytes{SELF})"),
            ),
        ),
        Graph(
            title="Snapshots",
            shows="Snapshots of the state per hour by result, and the age of the newest one in minutes.",
            normal="a new one every 30 s while events come.",
            otherwise="failed ones: the disk. An old one only makes the next start slower.",
            unit=AMOUNT,
            width=6,
            queries=(
                Query(
                    "{{result}} per hour " + ITS_NAME,
                    f"sum by ({ONE}, result) (increase(lkpush_snapshots_total{{SELF}}[1h]))",
                ),
                Query(
                    "age in minutes " + ITS_NAME,
                    f"(time() - min by ({ONE}) (lkpush_snapshot_timestamp_seconds{{SELF}} > 0)) / 60",
                ),
            ),
        ),
        Graph(
            title="Rows for the database by result",
            shows="Rows per minute by what became of them.",
            normal="written.",
            otherwise="`refused`: a constraint; the row is set aside. `given_up`: lost, because too many waited. The "
            "others are reasons for which a room has no organization.",
            unit=AMOUNT,
            width=6,
            queries=(
                Query(
                    "{{result}} " + ITS_NAME,
                    f"sum by ({ONE}, result) (rate(lkpush_database_rows_total{{SELF}}[{RATE}])) * 60",
                ),
            ),
        ),
        Graph(
            title="Rows that wait for the database",
            shows="Rows that are not written yet, and events that wait for the organization of their room.",
            normal="near 0.",
            otherwise="they rise while the database is away or slow, and are written when it is back.",
            unit=COUNT,
            decimals=0,
            width=6,
            queries=(
                Query("rows " + ITS_NAME, f"sum by ({ONE}) (lkpush_database_rows_waiting{{SELF}})"),
                Query("events " + ITS_NAME, f"sum by ({ONE}) (lkpush_waiting_events{{SELF}})"),
            ),
        ),
        Graph(
            title="Lookups and errors of the database",
            shows="Questions for the organization of a room, those refused because too many waited, and operations "
            "that failed, per minute.",
            normal="one lookup for a new room, no errors.",
            otherwise="the log has the database's own words. `open`: it cannot be reached.",
            unit=AMOUNT,
            width=6,
            queries=(
                Query("lookups " + ITS_NAME, f"sum by ({ONE}) (rate(lkpush_lookups_total{{SELF}}[{RATE}])) * 60"),
                Query(
                    "lookups refused " + ITS_NAME,
                    f"sum by ({ONE}) (rate(lkpush_database_lookups_refused_total{{SELF}}[{RATE}])) * 60",
                ),
                Query(
                    "error: {{operation}} " + ITS_NAME,
                    f"sum by ({ONE}, operation) (rate(lkpush_database_errors_total{{SELF}}[{RATE}])) * 60 > 0",
                    shows_failures=True,
                ),
            ),
        ),
    ),
)

DASHBOARD = Dashboard(
    file="pipeline.json",
    uid="lkpush-pipeline",
    title="lkpush pipeline",
    about="lkpush itself, from the webhook to the receiver: is it healthy, and if not, where it stops.",
    time="now-6h",
    variables=(
        ENVIRONMENT,
        JOB,
        Variable(
            name="instance",
            label="Instance",
            about="The setting INSTANCE of lkpush, or the address that is scraped.",
            query=f'label_values({{{ANY_LKPUSH}, environment="$environment", job=~"$job"}}, instance)',
            all="",
        ),
        Variable(
            name="destination",
            label="Destination",
            about="A receiver: `default`, or a name of REMOTE_WRITE_DESTINATIONS.",
            query='label_values(lkpush_remote_write_message{environment="$environment", job=~"$job"}, destination)',
            all=".*",
        ),
    ),
    rows=(
        HEALTH, WEBHOOKS, reconciliation.RECONCILIATION, STATE, replicas.REPLICAS, usage.COUNTING, sending.PUSH,
        sending.PROCESS,
    ),
)
