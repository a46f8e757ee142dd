"""The rows about usage in the units of an invoice: of one organization, of all, and what lkpush owes.

The counters of seconds grow while time passes, and are pushed once in IDLE_PUSH_INTERVAL only: 60 s as a rule, 4 min at
most. A range of less than two such intervals may hold one sample, and that has no increase. So nothing here looks back
less than an hour, which is off by one interval at most, and the rules look back 15 min at least.
"""

from .names import ORGANIZATION, named, top
from .panel import (
    AMOUNT,
    COUNT,
    ITS_NAME,
    MINUTES,
    ONE,
    SECONDS,
    SHARE,
    Graph,
    Panel,
    Query,
    Row,
    Stat,
    Table,
    Threshold,
    quantiles,
)

# The reasons for which somebody leaves because LiveKit or the network failed.
FAILED = 'kind="standard", reason=~"media_failure|connection_timeout"'

OF_MONTH = (
    "It is extrapolated to the ends of that time, which begins at midnight of your time zone. `lkpush report` has the "
    "exact numbers of the month in UTC."
)


def minutes(selector: str, over: str, by: str = "kind") -> str:
    return f"sum by ({by}) (increase(lk_connection_seconds_total{{{selector}}}[{over}])) / 60"


def billed(selector: str, over: str, by: str = "kind") -> str:
    return f"sum by ({by}) (increase(lk_connection_billed_minutes_total{{{selector}}}[{over}]))"


def failed_share(selector: str) -> str:
    """Returns the share of the people who left because media or the network failed: no value where nobody left."""
    left = f'sum(increase(lk_connections_ended_total{{{selector}, kind="standard"}}[1h]))'
    failed = f"sum(increase(lk_connections_ended_total{{{selector}, {FAILED}}}[1h]))"
    return f"({failed} or {left} * 0) / ({left} > 0)"


def of_connections(selector: str, whose: str) -> tuple[Panel, ...]:
    """The panels of connection time, which are the same for one organization and for all."""
    return (
        Stat(
            title="Connection minutes of this month",
            shows=f"Time that connections of {whose} lasted in this month so far, by kind. " + OF_MONTH,
            normal="`standard` are people. Which kinds LiveKit bills depends on the plan.",
            otherwise="far more than people explain: somebody's client, agent or phone stays connected. See "
                "*Connection minutes per hour*.",
            unit=MINUTES,
            decimals=0,
            width=12,
            is_of_month=True,
            no_value="no connections reported",
            queries=(Query("{{kind}}", minutes(selector, "$__range")),),
        ),
        Stat(
            title="Billed minutes of this month",
            shows=f"The connections of {whose} that ended in this month so far, each rounded up to whole minutes, by "
            "kind. " + OF_MONTH,
            normal="a little more than *Connection minutes of this month*; those that are open count when they end.",
            otherwise="far more: many connections of a few seconds, each billed as a minute. See *Why people leave*.",
            unit=MINUTES,
            decimals=0,
            width=12,
            is_of_month=True,
            no_value="no connection ended",
            queries=(Query("{{kind}}", billed(selector, "$__range")),),
        ),
    )


def connection_minutes(selector: str) -> Graph:
    return Graph(
        title="Connection minutes per hour",
        shows="Time that connections lasted in the hour before each point, by kind. It counts while time passes, not "
            "when a connection ends. Divided by 60 it is the mean number of connections.",
        normal="follows the working day.",
        otherwise="a level that stays at night: see who is connected.",
        unit=MINUTES,
        decimals=0,
        width=12,
        is_stacked=True,
        no_value="no connections reported",
        queries=(Query("{{kind}}", minutes(selector, "1h")),),
    )


def reasons(selector: str) -> Graph:
    return Graph(
        title="Why people leave",
        shows="People who left in the hour before each point, by the reason that LiveKit tells.",
        normal="mostly `client_initiated`, and `room_deleted` or `room_closed` at the end of a meeting.",
        otherwise="`connection_timeout`: their network, or LiveKit's node. `media_failure`: UDP and TURN do not get "
        "through. `duplicate_identity`: one person twice. `join_failure`: tokens or the client's version.",
        unit=AMOUNT,
        width=12,
        no_value="nobody left",
        queries=(
            Query(
                "{{reason}}",
                f'sum by (reason) (increase(lk_connections_ended_total{{{selector}, kind="standard"}}[1h]))',
            ),
        ),
    )


def errors(selector: str, width: int) -> Graph:
    return Graph(
        title="Failing recordings by class of error",
        shows="Recordings that failed in the hour before each point, by the class of LiveKit's error code.",
        normal="none.",
        otherwise="`4xx`: the request, or the storage that it names. `5xx`: LiveKit's egress service. `none`: LiveKit "
            "told no code. The table `recordings` has the errors.",
        unit=AMOUNT,
        width=width,
        no_value="none failed",
        queries=(
            Query(
                "{{code}}",
                f"sum by (code) (increase(lk_egress_errors_total{{{selector}}}[1h])) > 0",
                shows_failures=True,
            ),
        ),
    )


OF_ONE = Row(
    "Usage",
    (
        *of_connections("ORG", "the organization"),
        connection_minutes("ORG"),
        reasons("ORG"),
        errors("ORG", 12),
        Graph(
            title="Recording and import minutes per hour",
            shows="Time that recordings and imported streams ran in the hour before each point, by kind. It counts "
                "while time passes; *Recorded minutes of this month, and the limit* counts completed recordings.",
            normal="as the customer records.",
            otherwise="a job that runs all night was forgotten, and uses minutes.",
            unit=MINUTES,
            decimals=0,
            width=12,
            no_value="none",
            queries=(
                Query("{{request_type}}", "sum by (request_type) (increase(lk_egress_seconds_total{ORG}[1h])) / 60"),
                Query(
                    "{{input_type}}",
                    "sum by (input_type) (increase(lk_ingress_seconds_total{ORG}[1h])) / 60",
                    shows_failures=True,
                ),
            ),
        ),
    ),
)


def agents(selector: str) -> tuple[Panel, ...]:
    """The panels of agents and calls, which are the same for one organization and for all."""
    return (
        Graph(
            title="Agents running and waiting",
            shows="Jobs of agents that run, and those that wait for a worker, by the name of the agent.",
            normal="none waits for longer than a moment.",
            otherwise="jobs that wait: no worker of that name is connected, or all are full. The alert "
                "AgentJobsPending says more.",
            unit=COUNT,
            decimals=0,
            no_value="no agents",
            queries=(
                Query("{{agent_name}}", f"sum by (agent_name) (lk_agent_jobs_active{{{selector}}})"),
                Query(
                    "{{agent_name}} waiting",
                    f"sum by (agent_name) (lk_agent_jobs_pending{{{selector}}})",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Waiting time of agents",
            shows="Half and 95 % of the jobs that started in the hour before each point had waited for less time. "
                "Above 60 s it shows 60 s.",
            normal="p95 below 2 s.",
            otherwise="from 10 s on the alert AgentsSlow begins: there are too few workers, or they start slowly.",
            unit=SECONDS,
            thresholds=(Threshold(10, "red"),),
            no_value="no agent started",
            queries=quantiles(selector, "lk_agent_job_wait_seconds", "1h", (50, 95)),
        ),
        Graph(
            title="Agents ended per hour, by result",
            shows="Jobs of agents that ended in the hour before each point, by result and reason.",
            normal="success.",
            otherwise="`no_capacity`: every worker is full. Other failures: the log of the agent.",
            unit=AMOUNT,
            no_value="no agent ended",
            queries=(
                Query(
                    "{{result}} {{reason}}",
                    f"sum by (result, reason) (increase(lk_agent_jobs_ended_total{{{selector}}}[1h]))",
                ),
            ),
        ),
        Graph(
            title="Agent minutes per hour",
            shows="Time that agents worked in the hour before each point, by the name of the agent.",
            normal="follows the rooms that have an agent.",
            otherwise="a level that stays at night: rooms in which an agent was left alone.",
            unit=MINUTES,
            decimals=0,
            no_value="no agents",
            queries=(
                Query(
                    "{{agent_name}}",
                    f"sum by (agent_name) (increase(lk_agent_job_seconds_total{{{selector}}}[1h])) / 60",
                ),
            ),
        ),
        Graph(
            title="Calls now",
            shows="Calls by telephone that are open, by direction.",
            normal="as the organization calls. `unknown`: LiveKit told no attributes of the call.",
            otherwise="a level that stays at night: calls that nobody ended cost.",
            unit=COUNT,
            decimals=0,
            no_value="no calls",
            queries=(Query("{{direction}}", f"sum by (direction) (lk_sip_calls_active{{{selector}}})"),),
        ),
        Graph(
            title="Calls and call minutes per hour",
            shows="Calls that began, and minutes that calls lasted, in the hour before each point, by direction.",
            normal="follows the working day.",
            otherwise="many short calls: they are not taken, or break.",
            unit=AMOUNT,
            no_value="no calls",
            queries=(
                Query("{{direction}} calls", f"sum by (direction) (increase(lk_sip_calls_total{{{selector}}}[1h]))"),
                Query(
                    "{{direction}} minutes",
                    f"sum by (direction) (increase(lk_sip_call_seconds_total{{{selector}}}[1h])) / 60",
                ),
            ),
        ),
    )


AGENTS_OF_ONE = Row("Agents and calls", agents("ORG"))

MONTH_MINUTES = minutes("ALL", "$__range", "org_id")

OF_ALL = Row(
    "Usage",
    (
        *of_connections("ALL", "all organizations"),
        Table(
            title="Most connection minutes this month",
            shows="The 10 organizations whose connections lasted longest in this month so far: minutes, those that an "
            "invoice rounds up to, and the ones of people. " + OF_MONTH,
            normal="large customers lead.",
            otherwise="few minutes of people beside many: agents, phones or recorders that stay connected.",
            unit=MINUTES,
            decimals=0,
            width=12,
            height=10,
            labels=ORGANIZATION,
            is_of_month=True,
            no_value="no connections reported",
            queries=(
                Query("Minutes", top(MONTH_MINUTES, most=10)),
                Query("Billed", top(billed("ALL", "$__range", "org_id"), MONTH_MINUTES, most=10)),
                Query("Of people", top(minutes('ALL, kind="standard"', "$__range", "org_id"), MONTH_MINUTES, most=10)),
            ),
        ),
        Graph(
            title="Connection minutes per hour, largest organizations",
            shows="Time that connections lasted in the hour before each point, of the 10 organizations with the most.",
            normal="each follows its working day.",
            otherwise="one that stays high at night: look at its own dashboard.",
            unit=MINUTES,
            decimals=0,
            width=12,
            height=10,
            no_value="no connections reported",
            queries=(Query("{{org_name}}", named(f"topk(10, {minutes('ALL', '1h', 'org_id')})")),),
        ),
        connection_minutes("ALL"),
        reasons("ALL"),
        Graph(
            title="People who lost their connection",
            shows="The share of the people who left in the hour before each point because of `media_failure` or "
            "`connection_timeout`. Nobody who left is no value.",
            normal="a few percent: laptops that were closed, trains.",
            otherwise="from 20 % on the alert ConnectionsFail begins: a node of LiveKit, its TURN server or a "
                "firewall.",
            unit=SHARE,
            decimals=1,
            width=12,
            thresholds=(Threshold(0.2, "red"),),
            no_value="nobody left",
            queries=(Query("lost", failed_share("ALL")),),
        ),
        errors("ALL", 12),
    ),
)

AGENTS_OF_ALL = Row(
    "Agents and calls",
    (
        *agents("ALL"),
        Graph(
            title="Agents without capacity",
            shows="Jobs that ended in the hour before each point because no worker had room, by the name of the agent.",
            normal="none.",
            otherwise="start more workers of that name, or raise what each takes. The alert AgentsWithoutCapacity says "
            "more.",
            unit=AMOUNT,
            width=12,
            no_value="none",
            queries=(
                Query(
                    "{{agent_name}}",
                    "sum by (agent_name)"
                    ' (increase(lk_agent_jobs_ended_total{ALL, reason="no_capacity"}[1h])) > 0',
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Agent minutes per hour, largest organizations",
            shows="Time that agents worked in the hour before each point, of the 10 organizations with the most.",
            normal="each follows its rooms.",
            otherwise="one that stays high at night: rooms in which an agent was left alone.",
            unit=MINUTES,
            decimals=0,
            width=12,
            no_value="no agents",
            queries=(
                Query(
                    "{{org_name}}",
                    named("topk(10, sum by (org_id) (increase(lk_agent_job_seconds_total{ALL}[1h])) / 60)"),
                ),
            ),
        ),
    ),
)

COUNTING = Row(
    "Usage",
    (
        Graph(
            title="Usage ahead of its sum",
            shows="Seconds that usage counters have shown beyond what ended and is open, because an end was reported "
                "late. They grow again when the sum has caught up.",
            normal="near 0; some minutes after an outage between LiveKit and lkpush.",
            otherwise="it stays high: ends come late again and again; see *Delivery lag*. Nothing is counted twice.",
            unit=SECONDS,
            no_value="none",
            queries=(
                Query("{{usage}} " + ITS_NAME, f"sum by ({ONE}, usage) (lkpush_usage_ahead_seconds{{SELF}})"),
            ),
        ),
        Graph(
            title="Uncertain usage",
            shows="Seconds per hour of which nobody knows whether they were used: the time after the last sign of "
                "life of what ended unseen.",
            normal="none, or a little.",
            otherwise="webhooks get lost: see *Corrections by action* and *Refused webhooks by reason*.",
            unit=SECONDS,
            no_value="none",
            queries=(
                Query(
                    "{{usage}} " + ITS_NAME,
                    f"sum by ({ONE}, usage) (increase(lkpush_uncertain_seconds_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
        Graph(
            title="Rows of usage that wait",
            shows="Rows for the table `lkpush_usage_daily` that lkpush keeps because the table cannot be used, and "
                "those that it had to give up, per hour.",
            normal="0.",
            otherwise="create the table with `lkpush migrate`, as a role that may. The alert LkpushUsageRowsWaiting "
                "says more.",
            unit=COUNT,
            decimals=0,
            no_value="none",
            queries=(
                Query("waiting " + ITS_NAME, f"sum by ({ONE}) (lkpush_usage_rows_waiting{{SELF}})"),
                Query(
                    "lost " + ITS_NAME,
                    f"sum by ({ONE}) (increase(lkpush_usage_rows_lost_total{{SELF}}[1h])) > 0",
                    shows_failures=True,
                ),
            ),
        ),
    ),
)
