/// A change of a dashboard's text that breaks it, and words of the problem that the check has to find.
struct Mistake {
    let name: String
    let file: String
    /// The text whose first occurrence is replaced.
    let right: String
    let wrong: String
    let problem: String

    private init(
        _ name: String, _ right: String, _ wrong: String, _ problem: String, in file: String = "organization.json"
    ) {
        self.name = name
        self.file = file
        self.right = right
        self.wrong = wrong
        self.problem = problem
    }

    static let all = schema + head + panels + queries

    private static let schema = [
        Mistake("unknown-key", #""colorMode": "value""#, #""colourMode": "value""#, "has no colourMode"),
        Mistake("missing-key", #""graphMode": "none","#, "", "graphMode is missing"),
        Mistake("unknown-word", #""colorMode": "value""#, #""colorMode": "rainbow""#, "'rainbow' is none of"),
        Mistake("wrong-type", #""decimals": 0"#, #""decimals": "0""#, "float is expected, not '0'"),
        Mistake("wrong-truth", #""editable": true"#, #""editable": 1"#, "bool is expected, not 1"),
        Mistake("wrong-list", #""tags": []"#, #""tags": "lkpush""#, "a list is expected"),
        Mistake("wrong-object", #""annotations": {"#, #""annotations": 3, "nothing": {"#, "an object is expected"),
        Mistake("unknown-panel", #""type": "stat""#, #""type": "speedometer""#, "no panel is called 'speedometer'"),
        Mistake("unknown-custom", #""lineWidth": 1"#, #""lineWeight": 1"#, "has no lineWeight"),
        Mistake("unknown-override", #""id": "custom.lineStyle""#, #""id": "custom.lines""#, "nothing is called"),
        Mistake("unknown-mapping", #""type": "range""#, #""type": "ranges""#, "'range' is expected"),
        Mistake("unknown-target", #""editorMode": "code""#, #""editor": "code""#, "has no editor"),
    ]

    private static let head = [
        Mistake("numbered", #""id": null"#, #""id": 7"#, "id is 7"),
        Mistake("future-schema", #""schemaVersion": 39"#, #""schemaVersion": 99"#, "schemaVersion 99"),
        Mistake("other-uid", #""uid": "lkpush-organization""#, #""uid": "abc""#, "uid 'abc'"),
        Mistake("dead-link", #""url": "/d/lkpush-platform""#, #""url": "/d/platform""#, "the links do not lead to"),
        Mistake("forgetful-link", #""keepTime": true"#, #""keepTime": false"#, "loses the time"),
        Mistake("fixed-source", #""uid": "${datasource}""#, #""uid": "prometheus""#, "not the one that was chosen"),
        Mistake("unused-variable", #""name": "job""#, #""name": "work""#, "nothing uses the variable work"),
        Mistake("undefined-variable", #""name": "job""#, #""name": "work""#, "job is used and not defined"),
        Mistake("no-source", #""query": "prometheus""#, #""query": "loki""#, "no variable chooses the data source"),
        Mistake(
            "mixed-environments", #""name": "environment""#, #""multi": true, "name": "environment""#,
            "environments would be mixed"),
        Mistake("variable-of-nothing", "lkpush_build_info|", "lkpush_builds|", "lkpush has no lkpush_builds"),
    ]

    private static let panels = [
        Mistake("same-id", #""id": 3"#, #""id": 2"#, "two panels have one id"),
        Mistake("same-title", #""title": "Rooms""#, #""title": "Rooms open""#, "two panels are called 'Rooms open'"),
        Mistake("overlap", #""x": 4"#, #""x": 3"#, "overlaps"),
        Mistake("beyond-the-edge", #""x": 20"#, #""x": 21"#, "ends beyond column 24"),
        Mistake("gap", #""w": 4"#, #""w": 3"#, "has a gap"),
        Mistake("no-description", "**Normal:** ", "Mostly ", "does not say **Normal:**"),
        Mistake("dead-name", "*People: by events", "*Persons: by events", "nothing here is called 'Persons: by"),
        Mistake("no-unit", #","unit": "none""#.replacing(",", with: ",\n          "), "", "it has no unit"),
        Mistake("unknown-unit", #""unit": "none""#, #""unit": "pieces""#, "no unit 'pieces'"),
        // Of two equal keys the second counts.
        Mistake("no-query", #""title": "Rooms open""#, #""targets": [], "title": "Rooms open""#, "it has no query"),
        Mistake("same-refs", #""refId": "B""#, #""refId": "A""#, "two queries have one refId"),
        Mistake("no-legend", #""legendFormat": "Rooms""#, #""legendFormat": """#, "it has no legend"),
    ]

    private static let queries = [
        Mistake("unreadable", "sum(lk_room_active{", "sum((lk_room_active{", "it cannot be read"),
        Mistake("unknown-family", "lk_room_active", "lk_rooms_active", "lkpush has no lk_rooms_active"),
        Mistake("half-a-histogram", "_seconds_count{", "_seconds{", "lkpush has no lk_participant_lifetime_seconds"),
        Mistake("unknown-matcher", #"window=\""#, #"windows=\""#, "there is no label windows"),
        Mistake("unknown-group", "sum by (result)", "sum by (results)", "there is no label results"),
        Mistake("unknown-join", "/ on (org_id)", "/ on (org)", "the join: there is no label org"),
        Mistake(
            "unlike-sides", "max by (region, job, instance) (process_open", "max (process_open", "nothing matches",
            in: "pipeline.json"),
        Mistake("unknown-legend", "{{result}}", "{{outcome}}", "the legend shows outcome"),
        Mistake("every-environment", #"environment=\"$environment\", "#, "", "not chosen by environment"),
        Mistake("short-range", "[1h]", "[1m]", "is shorter than 5m"),
        Mistake("past-as-present", #""instant": true"#, #""instant": false, "range": true"#, "it is not instant"),
        Mistake("silent-stat", #""noValue": "not reported","#, "", "when there is no value"),
        Mistake(
            "several-cells", "[$__interval]", "[$__rate_interval]", "in several cells or in none",
            in: "pipeline.json"),
        Mistake(
            "short-cell", #""interval": "5m""#, #""interval": "1m""#, "without the smallest step of 5m",
            in: "pipeline.json"),
        Mistake(
            "short-rate", #""interval": "75s""#, #""interval": "15s""#, "can be shorter than 5m", in: "pipeline.json"),
        Mistake(
            "unknown-name", "group_left (org_name)", "group_left (name)", "group_left: there is no label name",
            in: "platform.json"),
    ]
}
