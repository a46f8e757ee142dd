"""One organization: what its people do, and what of its plan is used."""

from . import usage
from .panel import (
    AMOUNT,
    COUNT,
    ENVIRONMENT,
    JOB,
    MINUTES,
    SECONDS,
    SHARE,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Threshold,
    Variable,
    events_of_no_organization,
    or_0,
    quantiles,
)

WINDOWS = (("7d", "7 days"), ("30d", "30 days"), ("month", "this month"))

PEOPLE = "sum(lk_participants_active{ORG})"
# Several lkpush report the same number from one database, so the highest of each organization counts once.
LIMIT = "(max by (org_id) (lk_org_recording_limit_minutes{ORG}) > 0)"
RECORDED = '(max by (org_id) (lk_egress_total_duration_seconds{ORG, window="month"}) / 60)'
USED_SHARE = f"({RECORDED} or on (org_id) {LIMIT} * 0) / on (org_id) {LIMIT}"

COME_BACK = "a webhook was lost or lkpush restarted without its state. The dashboard *lkpush pipeline* shows which."


def from_database(family: str, window: str) -> str:
    return f'sum(max by (org_id) ({family}{{ORG, window="{window}"}}))'


def adoption(source: str) -> str:
    """Returns the share of people with such a track: 0 without tracks, no value without people."""
    return f'(sum(lk_tracks_active{{ORG, source="{source}"}}) or {PEOPLE} * 0) / ({PEOPLE} > 0)'


def in_shown_time(family: str) -> str:
    return f"sum(increase({family}{{ORG}}[$__range]))"


NOW = Row(
    "Now",
    (
        Stat(
            title="Rooms open",
            shows="Rooms of the organization that are open, counted from LiveKit's webhooks.",
            normal="follows the working day; 0 outside of it.",
            otherwise="a number that never falls to 0 at night means that " + COME_BACK,
            unit=COUNT,
            decimals=0,
            no_value="not reported",
            queries=(Query("Rooms", or_0("sum(lk_room_active{ORG})", "lk_org_info{ORG}")),),
        ),
        Stat(
            title="People online",
            shows="People in the organization's rooms. Recorders, agents and phones are not counted.",
            normal="follows the working day; 0 outside of it.",
            otherwise="compare *People: by events and by the database*; a lasting difference means that " + COME_BACK,
            unit=COUNT,
            decimals=0,
            no_value="not reported",
            queries=(Query("People", or_0(PEOPLE, "lk_org_info{ORG}")),),
        ),
        Stat(
            title="Most at once, 24 hours",
            shows="The highest numbers of people and rooms at one time in the last 24 hours.",
            normal="about the same on each working day.",
            otherwise="a sudden fall in the middle of the week is worth a question to the customer.",
            unit=COUNT,
            decimals=0,
            no_value="not reported",
            queries=(
                Query("people", f"max_over_time({PEOPLE}[24h:1m])"),
                Query("rooms", "max_over_time(sum(lk_room_active{ORG})[24h:1m])"),
            ),
        ),
        Stat(
            title="Recording limit used",
            shows="Recorded minutes of this calendar month (UTC) as a share of the plan's limit. If several "
            "organizations have this name, the highest share.",
            normal="below 80 %. Without a limit there is nothing to show.",
            otherwise="from 80 % on tell the customer; at 100 % the plan is used up: raise the limit, or wait for the "
            "next month.",
            unit=SHARE,
            decimals=0,
            base="green",
            thresholds=(Threshold(0.8, "orange"), Threshold(1, "red")),
            no_value="no limit reported",
            queries=(Query("used", f"max({USED_SHARE})"),),
        ),
        Stat(
            title="Organizations of this name",
            shows="The number of organizations with the chosen name. Every panel shows all of them together.",
            normal="1.",
            otherwise="add `&var-org_id=` and an id to the address to see one alone. The dashboard *lkpush platform* "
            "lists ids. A second one may also be the name that another organization had before.",
            unit=COUNT,
            decimals=0,
            base="green",
            thresholds=(Threshold(2, "orange"),),
            no_value="not reported",
            queries=(Query("organizations", "count(count by (org_id) (lk_org_info{ORG}))"),),
        ),
        events_of_no_organization(
            "Events of the whole platform, in the shown time, whose organization could not be found. They count "
            "under `unknown`, so they may be missing here."
        ),
    ),
)

USE = Row(
    "Rooms and people",
    (
        Graph(
            title="People: by events and by the database",
            shows="People online, counted from webhooks at once, and from the table `room_presence` every 5 minutes.",
            normal="both lines lie together; the database follows within 5 minutes.",
            otherwise="a lasting difference means that " + COME_BACK,
            unit=COUNT,
            decimals=0,
            width=12,
            queries=(
                Query("by events", PEOPLE),
                Query("by the database", "sum(max by (org_id) (lk_participants_connected{ORG}))"),
            ),
        ),
        Graph(
            title="Rooms over time",
            shows="Rooms of the organization that are open.",
            normal="follows the working day.",
            otherwise="rooms that stay open without people were not finished: look at `departure_timeout` and "
            "`empty_timeout` of LiveKit.",
            unit=COUNT,
            decimals=0,
            width=12,
            queries=(Query("rooms", "sum(lk_room_active{ORG})"),),
        ),
        Graph(
            title="Camera, microphone and screen share",
            shows="Published tracks of each source per person online. Nobody online is no value, not 0 %.",
            normal="microphone near 100 %, camera as the culture of the company is. Several tracks of one person, "
            "such as two shared screens, count each.",
            otherwise="a fall to 0 % while people are online points to a client that cannot publish.",
            unit=SHARE,
            decimals=0,
            width=12,
            queries=(
                Query("camera", adoption("camera")),
                Query("microphone", adoption("microphone")),
                Query("screen share", adoption("screen_share")),
            ),
        ),
        Graph(
            title="Sessions and rooms started per hour",
            shows="Joins of people, and rooms that opened, in the hour before each point.",
            normal="peaks at the start of the day and after lunch.",
            otherwise="many sessions with few people mean that connections break: look at the session length.",
            unit=AMOUNT,
            width=12,
            queries=(
                Query("sessions", "sum(increase(lk_participant_sessions_total{ORG}[1h]))"),
                Query("rooms", "sum(increase(lk_rooms_started_total{ORG}[1h]))"),
            ),
        ),
    ),
)

SESSIONS = Row(
    "Sessions in the shown time",
    (
        Stat(
            title="Sessions",
            shows="Joins of people in the shown time. It is extrapolated to the ends of that time, so it may be off "
            "by one or two.",
            normal="some for every person and day.",
            otherwise="none on a working day: look at *People online* and ask the customer.",
            unit=COUNT,
            decimals=0,
            no_value="none reported",
            queries=(Query("sessions", in_shown_time("lk_participant_sessions_total")),),
        ),
        Stat(
            title="Rooms",
            shows="Rooms that opened in the shown time. It is extrapolated to the ends of that time.",
            normal="fewer than sessions.",
            otherwise="as many rooms as sessions: everybody sits alone.",
            unit=COUNT,
            decimals=0,
            no_value="none reported",
            queries=(Query("rooms", in_shown_time("lk_rooms_started_total")),),
        ),
        Stat(
            title="Session length",
            shows="Half, 90 % and 99 % of the sessions that ended in the shown time were shorter than this. Estimated "
            "within buckets.",
            normal="p50 of some minutes to an hour; p99 a working day.",
            otherwise="p50 of seconds means that connections break. See *Is the session length complete?* before you "
            "trust a long one.",
            unit=SECONDS,
            decimals=0,
            width=8,
            no_value="no session ended",
            queries=quantiles("ORG", "lk_participant_lifetime_seconds", "$__range"),
        ),
        Stat(
            title="Is the session length complete?",
            shows="The share of sessions longer than the last bucket of the histogram. A quantile in there is shown "
            "as that bucket, which is too short.",
            normal="below 1 %: all three are right.",
            otherwise="set HISTOGRAM_LONG_BUCKETS=true, which adds buckets up to 8 hours.",
            unit=SHARE,
            decimals=1,
            width=8,
            no_value="no session ended",
            words={
                (-1, 0.01): ("yes", "green"),
                (0.01, 0.1): ("p99 is longer than shown", "orange"),
                (0.1, 0.5): ("p90 and p99 are longer than shown", "orange"),
                (0.5, 1): ("all are longer than shown", "red"),
            },
            queries=(
                Query(
                    "beyond the last bucket",
                    # The last bucket below infinity has the most of each series, whatever its bound is and however
                    # that is written.
                    "1 - sum(max without (le)"
                    ' (increase(lk_participant_lifetime_seconds_bucket{ORG, le!="+Inf"}[$__range])))'
                    " / (sum(increase(lk_participant_lifetime_seconds_count{ORG}[$__range])) > 0)",
                ),
            ),
        ),
        Graph(
            title="Session length over time",
            shows="Half, 90 % and 99 % of the sessions that ended in the hour before each point were shorter.",
            normal="short in the morning, long at the end of the day. No line while nobody left.",
            otherwise="p50 of seconds while many join: connections break.",
            unit=SECONDS,
            width=12,
            queries=quantiles("ORG", "lk_participant_lifetime_seconds", "1h"),
        ),
        Graph(
            title="Room length over time",
            shows="Half, 90 % and 99 % of the rooms that finished in the hour before each point were open for less "
            "time.",
            normal="the length of the meetings.",
            otherwise="rooms of many hours at night were forgotten or not finished.",
            unit=SECONDS,
            width=12,
            queries=quantiles("ORG", "lk_room_duration_seconds", "1h"),
        ),
    ),
)

USERS = Row(
    "Users, from the database",
    (
        Stat(
            title="Active users",
            shows="Different people who were online in the last 7 days, the last 30 days and this calendar month "
            "(UTC). A session counts when it ends.",
            normal="close to the number of employees.",
            otherwise="guests with random identities lift it; 0 in 7 days is a customer who left.",
            unit=COUNT,
            decimals=0,
            width=12,
            no_value="not reported",
            queries=tuple(Query(name, from_database("lk_unique_participants", window)) for window, name in WINDOWS),
        ),
        Stat(
            title="Average time online per user",
            shows="Time online of all users together, divided by their number, in the same three windows.",
            normal="hours per week for an office.",
            otherwise="a falling average with the same number of users: people look in and leave.",
            unit=SECONDS,
            decimals=1,
            width=12,
            no_value="no users reported",
            queries=tuple(
                Query(
                    name,
                    from_database("lk_participant_total_online_seconds", window)
                    + " / ("
                    + from_database("lk_unique_participants", window)
                    + " > 0)",
                )
                for window, name in WINDOWS
            ),
        ),
        Graph(
            title="Active users over time",
            shows="Weekly and monthly active users, as they were at each time.",
            normal="level, with dips in holidays.",
            otherwise="the weekly line falls first when a customer turns away.",
            unit=COUNT,
            decimals=0,
            width=24,
            height=7,
            joins=True,
            queries=tuple(Query(name, from_database("lk_unique_participants", window)) for window, name in WINDOWS),
        ),
    ),
)

RECORDINGS = Row(
    "Recordings",
    (
        Graph(
            title="Recorded minutes of this month, and the limit",
            shows="Length of the completed recordings of this calendar month (UTC), and the plan's limit where there "
            "is one.",
            normal="rises to the end of the month and begins at 0 on the first.",
            otherwise="a line that will cross the limit before the month ends: tell the customer.",
            unit=MINUTES,
            width=12,
            joins=True,
            limits=("limit",),
            queries=(Query("recorded", f"sum({RECORDED})"), Query("limit", f"sum({LIMIT})")),
        ),
        Graph(
            title="Recordings running",
            shows="Recording and streaming jobs that run, by kind.",
            normal="0 while nobody records.",
            otherwise="a job that runs for days was forgotten, and uses minutes.",
            unit=COUNT,
            decimals=0,
            width=12,
            no_value="none",
            queries=(Query("{{request_type}}", "sum by (request_type) (lk_egress_active{ORG})"),),
        ),
        Stat(
            title="Recordings by result",
            shows="Recordings that ended in the shown time, by result. Extrapolated to the ends of that time.",
            normal="all of them success.",
            otherwise="LiveKit's egress log tells why one failed; the table `recordings` has its error.",
            unit=COUNT,
            decimals=0,
            width=6,
            no_value="none",
            queries=(Query("{{result}}", "sum by (result) (increase(lk_egress_ended_total{ORG}[$__range]))"),),
        ),
        Stat(
            title="Success rate",
            shows="Successful recordings as a share of those that ended in the shown time.",
            normal="above 99 %.",
            otherwise="LiveKit's egress log tells why they failed; the table `recordings` has the errors.",
            unit=SHARE,
            decimals=1,
            width=6,
            base="red",
            thresholds=(Threshold(0.95, "orange"), Threshold(0.99, "green")),
            no_value="no recording ended",
            queries=(
                Query(
                    "success",
                    '(sum(increase(lk_egress_ended_total{ORG, result="success"}[$__range]))'
                    " or sum(increase(lk_egress_ended_total{ORG}[$__range])) * 0)"
                    " / (sum(increase(lk_egress_ended_total{ORG}[$__range])) > 0)",
                ),
            ),
        ),
        Stat(
            title="Recording length",
            shows="Half and 90 % of the recordings that ended in the shown time were shorter. Above 4 hours it shows "
            "4 hours.",
            normal="the length of the meetings.",
            otherwise="p50 of seconds: recordings are started by mistake, or end early.",
            unit=SECONDS,
            decimals=0,
            width=6,
            no_value="no recording ended",
            queries=quantiles("ORG", "lk_egress_duration_seconds", "$__range", (50, 90)),
        ),
        Stat(
            title="Completed recordings",
            shows="Completed recordings of the last 24 hours, 7 days, 30 days and of this month, from the database.",
            normal="as the customer records.",
            otherwise="fewer than *Recordings by result*: rows wait for the database or were refused.",
            unit=COUNT,
            decimals=0,
            width=6,
            no_value="none reported",
            queries=tuple(
                Query(name, from_database("lk_egress_completed", window))
                for window, name in (("1d", "24 hours"), *WINDOWS)
            ),
        ),
    ),
)

INGRESS = Row(
    "Imported streams",
    (
        Graph(
            title="Streams imported now",
            shows="Streams that come in by RTMP, WHIP or from an address, by kind.",
            normal="0 while nobody streams.",
            otherwise="a stream without a room that shows it: its sender was left on.",
            unit=COUNT,
            decimals=0,
            width=12,
            no_value="none",
            queries=(Query("{{input_type}}", "sum by (input_type) (lk_ingress_active{ORG})"),),
        ),
        Stat(
            title="Streams by result",
            shows="Imported streams that ended in the shown time, by result.",
            normal="all of them success.",
            otherwise="the sender's settings or LiveKit's ingress log tell why.",
            unit=COUNT,
            decimals=0,
            width=6,
            height=8,
            no_value="none",
            queries=(Query("{{result}}", "sum by (result) (increase(lk_ingress_ended_total{ORG}[$__range]))"),),
        ),
        Stat(
            title="Length of streams",
            shows="Half and 90 % of the imported streams that ended in the shown time were shorter.",
            normal="the length of the broadcasts.",
            otherwise="p50 of seconds: senders connect again and again.",
            unit=SECONDS,
            decimals=0,
            width=6,
            height=8,
            no_value="no stream ended",
            queries=quantiles("ORG", "lk_ingress_duration_seconds", "$__range", (50, 90)),
        ),
    ),
)

DASHBOARD = Dashboard(
    file="organization.json",
    uid="lkpush-organization",
    title="lkpush organization",
    about="What one organization does in its LiveKit rooms, and how much of its plan it uses.",
    variables=(
        ENVIRONMENT,
        JOB,
        Variable(
            name="org_name",
            label="Organization",
            about="The name of an organization that was active within 31 days of the shown time.",
            query='label_values(lk_org_info{environment="$environment", job=~"$job"}, org_name)',
        ),
        Variable(
            name="org_id",
            label="Organization id",
            about="The ids of the organizations with this name: usually one.",
            # A name may hold quotes and backslashes. Between backquotes PromQL reads them as they are, and the format
            # `regex` makes every character of the name stand for itself.
            query='label_values(lk_org_info{environment="$environment", job=~"$job", org_name=~`${org_name:regex}`}, '
            "org_id)",
            all="",
            is_hidden=True,
        ),
    ),
    rows=(NOW, USE, SESSIONS, usage.OF_ONE, usage.AGENTS_OF_ONE, USERS, RECORDINGS, INGRESS),
)
