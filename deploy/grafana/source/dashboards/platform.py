"""All organizations: totals, growth, top lists, and who needs attention."""

import typing

from . import usage
from .names import ORGANIZATION, ORGANIZATION_AND_ID, named, top
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
    Table,
    Threshold,
    events_of_no_organization,
    or_0,
    quantiles,
)

PEOPLE = "sum(lk_participants_active{ALL})"
LIMIT = "(max by (org_id) (lk_org_recording_limit_minutes{ALL}) > 0)"
RECORDED = '(max by (org_id) (lk_egress_total_duration_seconds{ALL, window="month"}) / 60)'

def from_database(family: str, window: str, offset: str = "") -> str:
    """Returns the numbers of each organization. Several lkpush report the same number, so the highest counts once."""
    return f'max by (org_id) ({family}{{ALL, window="{window}"}}{offset})'


def users(offset: str = "") -> str:
    return f"sum({from_database('lk_unique_participants', '7d', offset)})"


USERS = from_database("lk_unique_participants", "month")
USED = f"({RECORDED} / on (org_id) {LIMIT})"
SESSIONS = "sum by (org_id) (increase(lk_participant_sessions_total{ALL}[$__range]))"


def adoption(source: str) -> str:
    return f'(sum(lk_tracks_active{{ALL, source="{source}"}}) or {PEOPLE} * 0) / ({PEOPLE} > 0)'


def change(now: str, before: str) -> str:
    return f"{now} / ({before} > 0) - 1"


def sessions(offset: str = "") -> str:
    return f"sum(increase(lk_participant_sessions_total{{ALL}}[7d]{offset}))"


GROWTH_COLORS = (Threshold(-0.05, "orange"), Threshold(0, "green"))

NOW = Row(
    "Now",
    (
        Stat(
            title="Organizations online",
            shows="Organizations with at least one person online.",
            normal="follows the working day of the customers.",
            otherwise="0 in business hours: look at the dashboard *lkpush pipeline* first, then at LiveKit.",
            unit=COUNT,
            decimals=0,
            no_value="no lkpush here",
            queries=(Query("organizations", or_0("count(sum by (org_id) (lk_participants_active{ALL}) > 0)")),),
        ),
        Stat(
            title="Organizations known",
            shows="Organizations with activity in the last 31 days.",
            normal="the number of customers, and rising.",
            otherwise="a sudden fall: the database cannot be read, or all lkpush restarted without it.",
            unit=COUNT,
            decimals=0,
            no_value="none reported",
            queries=(Query("organizations", "count(count by (org_id) (lk_org_info{ALL}))"),),
        ),
        Stat(
            title="People online",
            shows="People in all rooms. Recorders, agents and phones are not counted.",
            normal="follows the working day.",
            otherwise="0 in business hours: look at the dashboard *lkpush pipeline* first, then at LiveKit.",
            unit=COUNT,
            decimals=0,
            no_value="no lkpush here",
            queries=(Query("people", or_0(PEOPLE)),),
        ),
        Stat(
            title="Rooms open",
            shows="Rooms that are open, of all organizations.",
            normal="follows the working day.",
            otherwise="rooms without people at night were not finished, or their end was lost.",
            unit=COUNT,
            decimals=0,
            no_value="no lkpush here",
            queries=(Query("rooms", or_0("sum(lk_room_active{ALL})")),),
        ),
        Stat(
            title="Recordings running",
            shows="Recording and streaming jobs that run.",
            normal="a few in business hours.",
            otherwise="many at night: jobs that were forgotten use minutes and CPU of LiveKit's egress.",
            unit=COUNT,
            decimals=0,
            no_value="no lkpush here",
            queries=(Query("recordings", or_0("sum(lk_egress_active{ALL})")),),
        ),
        events_of_no_organization(
            "Events in the shown time whose organization could not be found. They count under `unknown`."
        ),
    ),
)


def against_before(title: str, shows: str, otherwise: str, number: typing.Callable[..., str]) -> Stat:
    """How much a number grew since a week and 30 days ago. `number` returns its query, at an offset."""
    return Stat(
        title=title,
        shows=shows,
        normal="above 0 %, but for holidays.",
        otherwise=otherwise,
        unit=SHARE,
        decimals=1,
        width=8,
        min=None,
        base="red",
        thresholds=GROWTH_COLORS,
        no_value="no data of that time yet",
        queries=(
            Query("a week ago", change(number(), number(" offset 1w")), days=7),
            Query("30 days ago", change(number(), number(" offset 30d")), days=30),
        ),
    )


GROWTH = Row(
    "Growth",
    (
        Stat(
            title="Weekly active users",
            shows="Different people who were online in the last 7 days, added up over organizations, from the "
            "database.",
            normal="rising.",
            otherwise="the list of quiet organizations below says who is missing.",
            unit=COUNT,
            decimals=0,
            no_value="no users reported",
            queries=(Query("users", users()),),
        ),
        against_before(
            "Users against before",
            "Weekly active users against those of a week ago and of 30 days ago.",
            "the list of quiet organizations below says who is missing.",
            users,
        ),
        Stat(
            title="Sessions of 7 days",
            shows="Joins of people in the last 7 days. It is extrapolated to the ends of that time.",
            normal="rising.",
            otherwise="with the same number of users: people come less often.",
            unit=COUNT,
            decimals=0,
            no_value="none reported",
            queries=(Query("sessions", sessions()),),
        ),
        against_before(
            "Sessions against before",
            "Sessions of 7 days against those of the week before and of 30 days ago.",
            "compare with the users: fewer people, or fewer sessions of each.",
            sessions,
        ),
        Graph(
            title="Weekly active users, and before",
            shows="Weekly active users at each time, a week before it and 30 days before it.",
            normal="the line of now lies highest.",
            otherwise="a gap that opens is a loss that no holiday explains.",
            unit=COUNT,
            decimals=0,
            width=12,
            joins=True,
            queries=(
                Query("now", users()),
                Query("a week before", users(" offset 1w"), days=7),
                Query("30 days before", users(" offset 30d"), days=30),
            ),
        ),
        Graph(
            title="Organizations, and before",
            shows="Organizations with activity in 31 days, and those with a user in 7 days, now and 30 days before.",
            normal="both rise.",
            otherwise="many known and few active: customers have the product and do not use it.",
            unit=COUNT,
            decimals=0,
            width=12,
            joins=True,
            queries=(
                Query("known", "count(count by (org_id) (lk_org_info{ALL}))"),
                Query("active in 7 days", f"count({from_database('lk_unique_participants', '7d')} > 0)"),
                Query(
                    "active in 7 days, 30 days before",
                    f"count({from_database('lk_unique_participants', '7d', ' offset 30d')} > 0)",
                    days=30,
                ),
            ),
        ),
    ),
)

LISTS = Row(
    "Organizations that stand out",
    (
        Table(
            title="Most users and time online this month",
            shows="The 20 organizations with the most users of this calendar month (UTC), their time online and "
            "people online. A name opens the organization.",
            normal="large customers lead.",
            otherwise="`unknown` in the list: rooms have no organization; see *Events of no organization*.",
            unit=COUNT,
            decimals=0,
            width=12,
            height=10,
            labels=ORGANIZATION_AND_ID,
            units={"Time online": SECONDS},
            queries=(
                Query("Users", top(USERS)),
                Query("Time online", top(from_database("lk_participant_total_online_seconds", "month"), USERS)),
                Query("Online now", top("sum by (org_id) (lk_participants_active{ALL})", USERS)),
            ),
        ),
        Table(
            title="Near the recording limit",
            shows="The 20 organizations that have used the most of their limit this calendar month (UTC). Those "
            "without a limit are not listed.",
            normal="below 80 %.",
            otherwise="tell the customer in time; at 100 % the plan is used up.",
            unit=SHARE,
            decimals=0,
            width=12,
            height=10,
            labels=ORGANIZATION,
            units={"Recorded": MINUTES, "Limit": MINUTES},
            bar="Used",
            base="green",
            thresholds=(Threshold(0.8, "orange"), Threshold(1, "red")),
            no_value="no limit is reported",
            queries=(
                Query("Used", top(USED)),
                Query("Recorded", top(RECORDED, USED)),
                Query("Limit", top(LIMIT, USED)),
            ),
        ),
        Table(
            title="Most sessions in the shown time",
            shows="The 20 organizations with the most joins of people in the shown time, and the rooms that they "
            "opened.",
            normal="large customers lead.",
            otherwise="many sessions of a small customer: its connections break and come back.",
            unit=COUNT,
            decimals=0,
            width=8,
            height=10,
            labels=ORGANIZATION,
            queries=(
                Query("Sessions", top(SESSIONS)),
                Query("Rooms", top("sum by (org_id) (increase(lk_rooms_started_total{ALL}[$__range]))", SESSIONS)),
            ),
        ),
        Table(
            title="Failed recordings in the shown time",
            shows="The 20 organizations with the most recordings that failed in the shown time.",
            normal="empty.",
            otherwise="LiveKit's egress log tells why; the table `recordings` has the errors.",
            unit=COUNT,
            decimals=1,
            width=8,
            height=10,
            labels=ORGANIZATION,
            no_value="no recording failed",
            queries=(
                Query(
                    "Failed",
                    top('(sum by (org_id) (increase(lk_egress_ended_total{ALL, result="failed"}[$__range])) > 0)'),
                    shows_failures=True,
                ),
            ),
        ),
        Table(
            title="Quiet organizations",
            shows="Organizations with users in the last 30 days and none in the last 7, with the users of those 30 "
            "days.",
            normal="empty, but for holidays.",
            otherwise="ask these customers: they may be about to leave.",
            unit=COUNT,
            decimals=0,
            width=8,
            height=10,
            labels=ORGANIZATION,
            no_value="no quiet organization is reported",
            queries=(
                Query(
                    "Users in 30 days",
                    named(
                        f"({from_database('lk_unique_participants', '30d')} > 0"
                        f" unless on (org_id) {from_database('lk_unique_participants', '7d')} > 0)"
                    ),
                    shows_failures=True,
                ),
            ),
        ),
    ),
)

USE = Row(
    "Rooms, people and sessions",
    (
        Graph(
            title="People over time",
            shows="People online, counted from webhooks at once, and from the database every 5 minutes.",
            normal="both lines lie together. The database does not have people whose organization is unknown.",
            otherwise="a lasting difference: webhooks were lost, or a lkpush restarted without its state.",
            unit=COUNT,
            decimals=0,
            queries=(
                Query("by events", PEOPLE),
                Query("by the database", "sum(max by (org_id) (lk_participants_connected{ALL}))"),
            ),
        ),
        Graph(
            title="People online, largest organizations",
            shows="People online of the 10 largest organizations at each time.",
            normal="each follows its working day.",
            otherwise="one that falls to 0 alone has a problem of its own.",
            unit=COUNT,
            decimals=0,
            queries=(Query("{{org_name}}", named("topk(10, sum by (org_id) (lk_participants_active{ALL}))")),),
        ),
        Graph(
            title="Rooms over time",
            shows="Rooms that are open, of all organizations.",
            normal="follows the working day.",
            otherwise="a line that rises from day to day: ends of rooms are lost.",
            unit=COUNT,
            decimals=0,
            queries=(Query("rooms", "sum(lk_room_active{ALL})"),),
        ),
        Graph(
            title="Sessions and rooms started per hour",
            shows="Joins of people, and rooms that opened, in the hour before each point.",
            normal="peaks at the start of the day and after lunch.",
            otherwise="a peak without more people: connections break everywhere. Look at LiveKit.",
            unit=AMOUNT,
            queries=(
                Query("sessions", "sum(increase(lk_participant_sessions_total{ALL}[1h]))"),
                Query("rooms", "sum(increase(lk_rooms_started_total{ALL}[1h]))"),
            ),
        ),
        Graph(
            title="Session length",
            shows="Half, 90 % and 99 % of the sessions that ended in the hour before each point were shorter. The "
            "last bucket is 8 hours, or 2969 s with HISTOGRAM_LONG_BUCKETS=false: a quantile never shows more.",
            normal="short in the morning, long at the end of the day.",
            otherwise="p50 of seconds while many join: connections break everywhere.",
            unit=SECONDS,
            queries=quantiles("ALL", "lk_participant_lifetime_seconds", "1h"),
        ),
        Graph(
            title="Camera, microphone and screen share",
            shows="Published tracks of each source per person online. Nobody online is no value, not 0 %.",
            normal="microphone near 100 %.",
            otherwise="a step down after a release: the client cannot publish.",
            unit=SHARE,
            decimals=0,
            queries=(
                Query("camera", adoption("camera")),
                Query("microphone", adoption("microphone")),
                Query("screen share", adoption("screen_share")),
            ),
        ),
        Graph(
            title="Tracks published",
            shows="Tracks that are published now, by source and kind.",
            normal="follows the people online.",
            otherwise="more than a few `unknown`: clients of an old version.",
            unit=COUNT,
            decimals=0,
            is_stacked=True,
            width=12,
            queries=(Query("{{source}} {{type}}", "sum by (source, type) (lk_tracks_active{ALL})"),),
        ),
        Graph(
            title="Tracks published per hour",
            shows="Tracks that began in the hour before each point, by source.",
            normal="follows the sessions.",
            otherwise="far more than sessions: clients publish again and again.",
            unit=AMOUNT,
            width=12,
            queries=(Query("{{source}}", "sum by (source) (increase(lk_tracks_published_total{ALL}[1h]))"),),
        ),
    ),
)

JOBS = Row(
    "Recordings and imported streams",
    (
        Stat(
            title="Recorded this month",
            shows="Length of the completed recordings of this calendar month (UTC), of all organizations.",
            normal="rises to the end of the month.",
            otherwise="it stands still while recordings end: rows wait for the database or were refused.",
            unit=MINUTES,
            decimals=0,
            height=8,
            no_value="none reported",
            queries=(Query("recorded", f"sum({RECORDED})"),),
        ),
        Graph(
            title="Recordings over time",
            shows="Recording and streaming jobs that run, by kind.",
            normal="follows the working day.",
            otherwise="a level that stays at night: forgotten jobs.",
            unit=COUNT,
            decimals=0,
            width=10,
            is_stacked=True,
            queries=(Query("{{request_type}}", "sum by (request_type) (lk_egress_active{ALL})"),),
        ),
        Graph(
            title="Recordings ended per hour, by result",
            shows="Recordings that ended in the hour before each point, by result.",
            normal="success only.",
            otherwise="failures of many organizations at once: LiveKit's egress or its storage.",
            unit=AMOUNT,
            width=10,
            queries=(Query("{{result}}", "sum by (result) (increase(lk_egress_ended_total{ALL}[1h]))"),),
        ),
        Graph(
            title="Streams imported now",
            shows="Streams that come in by RTMP, WHIP or from an address, by kind.",
            normal="a few.",
            otherwise="a level that stays at night: senders were left on.",
            unit=COUNT,
            decimals=0,
            width=12,
            no_value="none",
            queries=(Query("{{input_type}}", "sum by (input_type) (lk_ingress_active{ALL})"),),
        ),
        Graph(
            title="Streams ended per hour, by result",
            shows="Imported streams that ended in the hour before each point, by result.",
            normal="success only.",
            otherwise="failures of many organizations at once: LiveKit's ingress.",
            unit=AMOUNT,
            width=12,
            no_value="none",
            queries=(Query("{{result}}", "sum by (result) (increase(lk_ingress_ended_total{ALL}[1h]))"),),
        ),
    ),
)

DASHBOARD = Dashboard(
    file="platform.json",
    uid="lkpush-platform",
    title="lkpush platform",
    about="All organizations together: totals, growth, top lists, and who needs attention.",
    variables=(ENVIRONMENT, JOB),
    rows=(NOW, GROWTH, LISTS, USE, usage.OF_ALL, usage.AGENTS_OF_ALL, JOBS),
)
