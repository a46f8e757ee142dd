# Draws one frame of deploy/picture from a page of /metrics. Figures of earlier frames are kept in the file `history`:
# a line of time, events, sum and count of lags, and CPU seconds for each of the last frames.

BEGIN {
    window = 10 # seconds over which rates are taken
    kept = 120
    while ((getline line < history) > 0) past[++pasts] = line
    close(history)
    while ((getline line < result) > 0) json = json line
    close(result)
    while ((getline line < note) > 0) remark = line
    close(note)
}

# --- reading the page

/^#/ { next }

{
    name = $0
    sub(/[{ ].*/, "", name)
    value = $NF + 0
    # Some gauges are one for each destination of pushing; the worst of them counts.
    if (!(name in total) || value < least[name]) least[name] = value
    if (!(name in total) || value > most[name]) most[name] = value
    total[name] += value
}

name ~ /^lk_(room_active|participants_active|tracks_active|egress_active|org_info)$/ {
    parse($0)
    org = labels["org_id"]
    if (name == "lk_org_info") {
        if (value == 1) alias[org] = labels["org_name"]
        next
    }
    if (!(org in known)) {
        known[org] = 1
        orgs[++orgCount] = org
    }
    now_[name, org] += value
}

name == "lkpush_remote_write_requests_total" {
    parse($0)
    requests[labels["code"] ~ /^2/] += value
}

# Sets `labels` to those of a sample, as they are written: a value may hold any character.
function parse(line,    pair, mark) {
    split("", labels)
    if (!index(line, "{")) return
    line = substr(line, index(line, "{") + 1)
    while (match(line, /^[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*"/)) {
        pair = substr(line, 1, RLENGTH)
        mark = index(pair, "=")
        labels[substr(pair, 1, mark - 1)] = substr(pair, mark + 2, length(pair) - mark - 2)
        line = substr(line, RLENGTH + 2)
    }
}

# --- writing figures

function whole(number,    text, sign) { # 1,234,567
    text = sprintf("%.0f", number)
    sign = sub(/^-/, "", text) ? "-" : ""
    while (match(text, /^[0-9]+[0-9][0-9][0-9]/)) {
        match(text, /^[0-9]+/)
        text = substr(text, 1, RLENGTH - 3) "," substr(text, RLENGTH - 2)
    }
    return sign text
}

function rate(number) { return number < 9.95 ? sprintf("%.1f", number) : sprintf("%.0f", number) }

function bytes(number,    unit) {
    split("B KiB MiB GiB TiB", units, " ")
    for (unit = 1; unit < 5 && number >= 1024; unit++) number /= 1024
    return sprintf(unit == 1 ? "%d %s" : "%.1f %s", number, units[unit])
}

function span(seconds) { # 0:03:12
    return sprintf("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

function lagText() { return lag < 0 ? "-" : sprintf("%.2f s", lag) }

function pushText() {
    if (!least["lkpush_remote_write_last_success_timestamp_seconds"]) return "never"
    age = now - least["lkpush_remote_write_last_success_timestamp_seconds"]
    return age < 100 ? sprintf("%d s ago", age < 0 ? 0 : age) : span(age) " ago"
}

# What strangers wrote must not reach the terminal as a command.
function harmless(text) {
    gsub(/[\001-\037\177]/, "?", text)
    if (!utf8) gsub(/[\200-\377]/, "?", text)
    else gsub(/\302[\200-\237]/, "?", text)
    return text
}

# --- what earlier frames tell

function look_back(    i, parts, from, took) {
    events = total["lk_webhook_events_total"]
    lags = total["lk_webhook_delivery_lag_seconds_sum"]
    lagged = total["lk_webhook_delivery_lag_seconds_count"]
    cpu = total["process_cpu_seconds_total"]
    perSecond = share = 0
    lag = -1
    if (answers) past[++pasts] = sprintf("%.3f %.0f %.6f %.0f %.6f", now, events, lags, lagged, cpu)
    first = pasts > kept ? pasts - kept + 1 : 1
    # A smaller number of events: lkpush was started again.
    for (i = first + 1; i <= pasts; i++) if (field(i, 2) < field(i - 1, 2)) first = i
    for (i = first; i <= pasts; i++) print past[i] > history
    close(history)
    for (from = pasts; from > first && field(pasts, 1) - field(from, 1) < window;) from--
    took = field(pasts, 1) - field(from, 1)
    if (took <= 0) return
    perSecond = (field(pasts, 2) - field(from, 2)) / took
    share = (field(pasts, 5) - field(from, 5)) / took
    if (field(pasts, 4) > field(from, 4)) {
        lag = (field(pasts, 3) - field(from, 3)) / (field(pasts, 4) - field(from, 4))
    }
}

function field(frame_, column,    parts) {
    split(past[frame_], parts, " ")
    return parts[column] + 0
}

# Events per second of the last `width` frames as a row of bars.
function bars(width,    i, start, most, speed, speeds, row, steps, level) {
    steps = utf8 ? split("▁ ▂ ▃ ▄ ▅ ▆ ▇ █", step, " ") : split("_ . - = + * # @", step, " ")
    start = pasts - width + 1
    if (start <= first) start = first + 1
    for (i = start; i <= pasts; i++) {
        speed = (field(i, 2) - field(i - 1, 2)) / (field(i, 1) - field(i - 1, 1) + 0.001)
        speeds[i] = speed
        if (speed > most) most = speed
    }
    for (i = start; i <= pasts; i++) {
        level = most ? 1 + int(speeds[i] / most * (steps - 0.01)) : 1
        row = row step[level]
    }
    return row
}

# What Prometheus answered for one metric; -1 where it does not know it.
function got(metric,    rest) {
    if (!index(json, "\"" metric "\"")) return -1
    rest = substr(json, index(json, "\"" metric "\""))
    if (!match(rest, /"value":\[[^,]*,"[^"]*"/)) return -1
    rest = substr(rest, RSTART, RLENGTH)
    sub(/.*,"/, "", rest)
    return rest + 0
}

# Brings those with most people, then most rooms, to the front: only as many as are shown.
function by_people(count,    i, j, best, org, weight) {
    for (i = 1; i <= orgCount; i++) {
        org = orgs[i]
        weight[org] = now_["lk_participants_active", org] * 100000 + now_["lk_room_active", org]
    }
    for (i = 1; i <= count; i++) {
        best = i
        for (j = i + 1; j <= orgCount; j++) if (weight[orgs[j]] > weight[orgs[best]]) best = j
        org = orgs[i]
        orgs[i] = orgs[best]
        orgs[best] = org
    }
}

# --- drawing

function bold(text) { return color ? "\033[1m" text "\033[0m" : text }
function dim(text) { return color ? "\033[2m" text "\033[0m" : text }
function alarm(text) { return color ? "\033[1;31m" text "\033[0m" : text }

# Adds a line, unless the screen is full.
function add(text) { if (lines < rows) screen[++lines] = text }
function gap() { if (rows >= 22) add("") }
function section(name, text) { add(bold(sprintf(" %-11s", name)) text) }
function entry(name, text) { add(sprintf("   %-9s", name) text) }

function draw_screen(    i, text, pending, room, org) {
    add(bold(" " title) "   " clock "   " dim("Ctrl-C stops it"))
    gap()
    if (prometheus != "") {
        text = "/graph?g0.expr=lk_participants_active&g0.tab=0"
        if (columns >= length(prometheus text) + 31) text = text "&g0.range_input=15m"
        section("Prometheus", prometheus text)
    }
    section("Metrics", address)
    if (!answers) add(alarm(" No answer from lkpush: these are its last figures."))
    gap()
    section("Webhooks", sprintf("%-9s ", rate(perSecond) "/s") bars(columns > 110 ? 80 : columns - 30))
    entry("counted", whole(events) "   repeated " whole(total["lk_webhook_duplicates_total"]) \
        "   refused " whole(total["lkpush_webhook_rejected_total"]) \
        "   in the queue " whole(total["lkpush_webhook_queue_events"]))
    entry("lag", lagText() dim("   mean of " window " s; LiveKit tells whole seconds"))
    if (remark != "") entry("sender", harmless(remark))
    gap()
    pending = total["lkpush_remote_write_samples_pending"]
    section("Pushed", whole(total["lkpush_remote_write_samples_accepted_total"]) " samples of " \
        whole(total["lkpush_series"]) " series in " whole(requests[1]) " requests, " \
        bytes(total["lkpush_remote_write_bytes_accepted_total"]))
    text = pushText() "   backlog " whole(pending) " samples"
    if (pending) {
        text = text sprintf(", %.0f s old", most["lkpush_remote_write_queue_oldest_age_seconds"])
    }
    if (most["lkpush_remote_write_backoff_seconds"]) text = text "   " alarm("the receiver does not take them")
    entry("last", text)
    if (prometheus != "") {
        entry("arrived", got("lk_room_active") < 0 ? "nothing yet" : whole(got("lk_room_active")) " rooms   " \
            whole(got("lk_participants_active")) " people   " \
            whole(got("lk_participant_sessions_total")) " sessions so far, says Prometheus")
    }
    gap()
    section("Process", bytes(total["process_resident_memory_bytes"]) " memory   " \
        sprintf("%.1f%%", share * 100) " of one CPU   up " span(now - total["process_start_time_seconds"]))
    gap()
    draw_organizations()
    text = color ? "\033[0m" : ""
    for (i = 1; i <= lines; i++) printf "%s%s\033[K%s", screen[i], text, i < lines ? "\r\n" : ""
    printf "\033[J"
}

function draw_organizations(    i, shown, format, org) {
    format = "   %7s %8s %8s %10s   %s"
    add(bold(sprintf(format, "rooms", "people", "tracks", "recordings", "now, by organization")))
    shown = rows - lines - 1
    if (shown > orgCount) shown = orgCount
    by_people(shown)
    for (i = 1; i <= shown; i++) {
        org = orgs[i]
        add(sprintf(format, whole(now_["lk_room_active", org]), whole(now_["lk_participants_active", org]), \
            whole(now_["lk_tracks_active", org]), whole(now_["lk_egress_active", org]), \
            harmless(alias[org] != "" && alias[org] != org ? alias[org] "  " org : org)))
    }
    add(bold(sprintf(format, whole(total["lk_room_active"]), whole(total["lk_participants_active"]), \
        whole(total["lk_tracks_active"]), whole(total["lk_egress_active"]), \
        "all " whole(orgCount) (shown < orgCount ? ", the largest are shown" : ""))))
}

function draw_line(    format) {
    format = "%-8s %7s %7s %9s %5s %6s %7s %7s %10s %10s %10s %8s %10s\n"
    if (frame % 20 == 0) {
        printf format, "", "events", "", "events", "", "rooms", "people", "", "samples", "", "last", "", ""
        printf format, "time", "per s", "lag", "in all", "orgs", "now", "now", "series", "pushed", "bytes", "push", \
            "backlog", "memory"
    }
    if (!answers) {
        print clock " no answer from " address
        return
    }
    printf format, clock, rate(perSecond), lagText(), whole(events), whole(orgCount), whole(total["lk_room_active"]), \
        whole(total["lk_participants_active"]), whole(total["lkpush_series"]), \
        whole(total["lkpush_remote_write_samples_accepted_total"]), \
        bytes(total["lkpush_remote_write_bytes_accepted_total"]), pushText(), \
        whole(total["lkpush_remote_write_samples_pending"]), bytes(total["process_resident_memory_bytes"])
}

END {
    look_back()
    if (mode == "line") draw_line()
    else draw_screen()
}
