"""Turns declarations into Grafana's classic dashboard JSON, with the builders of Grafana's foundation SDK."""

import json
import typing

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from .panel import Dashboard, Graph, HeatMap, Panel, Query, Row, Stat, Table, Variable

# Grafana 11.0 writes this version. Newer ones raise it when they load the file; none lowers a newer one.
SCHEMA_VERSION = 39
# Without it the plugins migrate the options as those of Grafana 6.
PLUGIN_VERSION = "11.0.0"
# Counters that idle come every 4 min at most. `$__rate_interval` is at least 4 times this: 5 min.
MIN_STEP = "75s"
# The smallest step of a panel that counts over `$__interval`.
MIN_INTERVAL = "5m"
# Grafana's way to write "this month so far". Its month begins in the time zone of whoever looks.
THIS_MONTH = "now/M"
TAG = "lkpush"
COLUMNS = 24

# The one reference to a data source, in every query and variable.
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")


def render(declared: Dashboard, others: typing.Sequence[Dashboard]) -> str:
    """Returns the file of a dashboard that links to the others."""
    builder = (
        dashboard.Dashboard(declared.title)
        .uid(declared.uid)
        .description(declared.about)
        .tags([TAG])
        .timezone("browser")
        .editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .time(declared.time, "now")
        .refresh("1m")
        .annotations([])
        .with_variable(
            dashboard.DatasourceVariable("datasource")
            .label("Data source")
            .description("The Prometheus, Mimir or Grafana Cloud that lkpush pushes to.")
            .type("prometheus")
            .hide(model.VariableHide.DONT_HIDE)
        )
    )
    for variable in declared.variables:
        builder.with_variable(_variable(variable))
    for other in others:
        builder.link(_link(other))
    panel_id, y = 0, 0
    for row in declared.rows:
        panel_id += 1
        builder.with_row(
            dashboard.Row(row.title).id(panel_id).grid_pos(model.GridPos(h=1, w=COLUMNS, x=0, y=y)).collapsed(False)
        )
        places, y = _places(row, y + 1)
        for panel, place in zip(row.panels, places, strict=True):
            panel_id += 1
            builder.with_panel(_panel(panel).id(panel_id).grid_pos(place))
    built = builder.build()
    built.schema_version = SCHEMA_VERSION
    built.version = 1
    for panel in built.panels or []:
        if isinstance(panel, model.Panel):
            panel.plugin_version = PLUGIN_VERSION
    content = {"id": None} | json.loads(json.dumps(built, cls=JSONEncoder))
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _places(row: Row, top: int) -> tuple[list[model.GridPos], int]:
    """Returns where the panels of a row stand, line by line from the left, and where the next row begins."""
    places: list[model.GridPos] = []
    x, y, height = 0, top, 0
    for panel in row.panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        places.append(model.GridPos(h=panel.height, w=panel.width, x=x, y=y))
        x, height = x + panel.width, max(height, panel.height)
    return places, y + height


def _link(other: Dashboard) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(other.title)
        .type(model.DashboardLinkType.LINK)
        .icon("dashboard")
        .tooltip(other.about)
        .url(f"/d/{other.uid}")
        .keep_time(True)
        .include_vars(True)
    )


def _variable(variable: Variable) -> dashboard.QueryVariable:
    hide = model.VariableHide.HIDE_VARIABLE if variable.is_hidden else model.VariableHide.DONT_HIDE
    builder = (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .description(variable.about)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": variable.query, "refId": variable.name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .hide(hide)
    )
    if variable.all is not None:
        builder.multi(True).include_all(True).current(
            model.VariableOption(selected=True, text=["All"], value=["$__all"])
        )
        if variable.all:
            builder.all_value(variable.all)
    return builder


# Panels


def _panel(panel: Panel) -> typing.Any:
    match panel:
        case Stat():
            builder = _stat(panel)
        case Graph():
            builder = _graph(panel)
        case HeatMap():
            builder = _heat_map(panel)
        case Table():
            builder = _table(panel)
        case _:
            raise TypeError(f"{panel.title}: {type(panel).__name__} cannot be drawn")
    builder.title(panel.title).description(panel.description).datasource(SOURCE).unit(panel.unit)
    for number, query in enumerate(panel.queries):
        builder.with_target(_target(panel, query, chr(ord("A") + number)))
    if panel.min is not None:
        builder.min(panel.min)
    if panel.max is not None:
        builder.max(panel.max)
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.no_value is not None:
        builder.no_value(panel.no_value)
    if panel.is_of_month:
        builder.time_from(THIS_MONTH)
    return builder


def _target(panel: Panel, query: Query, ref_id: str) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .ref_id(ref_id)
        .datasource(SOURCE)
        .editor_mode(prometheus_model.QueryEditorMode.CODE)
        .expr(query.expr)
    )
    match panel:
        case Table():
            target.format(prometheus_model.PromQueryFormat.TABLE).instant()
        case HeatMap():
            target.format(prometheus_model.PromQueryFormat.HEATMAP).range().legend_format("{{le}}")
        case Stat():
            target.format(prometheus_model.PromQueryFormat.TIME_SERIES).instant().legend_format(query.legend)
        case _:
            target.format(prometheus_model.PromQueryFormat.TIME_SERIES).range().legend_format(query.legend)
    if "$__rate_interval" in query.expr:
        target.interval(MIN_STEP)
    if "$__interval" in query.expr:
        target.interval(MIN_INTERVAL)
    return target


def _thresholds(panel: Panel, base: str) -> dashboard.ThresholdsConfig:
    steps = [model.Threshold(value=None, color=panel.base or base)]
    steps += [model.Threshold(value=step.value, color=step.color) for step in panel.thresholds]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _color(mode: model.FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)


def _last_value() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def _stat(panel: Stat) -> stat.Panel:
    text_mode = common_model.BigValueTextMode.NAME if panel.shows_name else common_model.BigValueTextMode.AUTO
    return (
        stat.Panel()
        .reduce_options(_last_value())
        .color_mode(common_model.BigValueColorMode.VALUE)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .justify_mode(common_model.BigValueJustifyMode.AUTO)
        .orientation(common_model.VizOrientation.AUTO)
        .text_mode(text_mode)
        .wide_layout(True)
        .color_scheme(_color(model.FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(panel, "green" if panel.thresholds else "blue"))
        .mappings([_mapping(value, *words) for value, words in panel.words.items()])
    )


def _mapping(value: typing.Any, text: str, color: str) -> model.ValueMapping:
    result = model.ValueMappingResult(text=text, color=color, index=0)
    if isinstance(value, tuple):
        return model.RangeMap(model.DashboardRangeMapOptions(from_val=value[0], to=value[1], result=result))
    return model.ValueMap({f"{value:g}": result})


def _graph(panel: Graph) -> timeseries.Panel:
    styles = common_model.GraphThresholdsStyleMode
    style = styles.LINE if panel.thresholds else styles.OFF
    stacking = common_model.StackingMode.NORMAL if panel.is_stacked else common_model.StackingMode.NONE
    builder = (
        timeseries.Panel()
        .draw_style(common_model.GraphDrawStyle.LINE)
        .line_interpolation(common_model.LineInterpolation.LINEAR)
        .line_width(1)
        .fill_opacity(25 if panel.is_stacked else 10)
        .show_points(common_model.VisibilityMode.AUTO)
        .point_size(4)
        .span_nulls(panel.joins)
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .color_scheme(_color(model.FieldColorModeId.PALETTE_CLASSIC))
        .thresholds(_thresholds(panel, "transparent"))
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
    )
    for name in panel.limits:
        builder.override_by_name(
            name,
            [
                model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "red"}),
                model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
                model.DynamicConfigValue("custom.fillOpacity", 0),
                model.DynamicConfigValue("custom.stacking", {"mode": "none", "group": "A"}),
            ],
        )
    return builder


def _heat_map(panel: HeatMap) -> heatmap.Panel:
    return (
        heatmap.Panel()
        .calculate(False)
        .cell_gap(1)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_model.HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .scale(heatmap_model.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
            .fill("dark-orange")
            .reverse(False)
        )
        .cell_values(heatmap.CellValues().unit("short"))
        .y_axis(heatmap.YAxisConfig().unit(panel.unit).axis_placement(common_model.AxisPlacement.LEFT))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(common_model.HeatmapCellLayout.AUTO))
        .show_value(common_model.VisibilityMode.NEVER)
        .mode(common_model.TooltipDisplayMode.SINGLE)
        .show_legend()
    )


def _table(panel: Table) -> table.Panel:
    several = len(panel.queries) > 1
    columns = [f"Value #{chr(ord('A') + number)}" if several else "Value" for number in range(len(panel.queries))]
    titles = dict(panel.labels) | {column: query.legend for column, query in zip(columns, panel.queries, strict=True)}
    order = {name: place for place, name in enumerate(titles)}
    # A result that comes alone has this name, even where there are several queries.
    titles["Value"] = panel.queries[0].legend
    builder = (
        table.Panel()
        .show_header(True)
        .cell_height(common_model.TableCellHeight.SM)
        .color_scheme(_color(model.FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(panel, "text"))
        .sort_by([common.TableSortByFieldState().display_name(panel.queries[0].legend).desc(True)])
    )
    if several:
        builder.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    builder.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True} | ({} if "org_id" in panel.labels else {"org_id": True}),
                "indexByName": order,
                "renameByName": titles,
            },
        )
    )
    if panel.is_linked and "org_name" in panel.labels:
        builder.override_by_name(panel.labels["org_name"], [model.DynamicConfigValue("links", [_organization_link()])])
    for title, unit in panel.units.items():
        builder.override_by_name(title, [model.DynamicConfigValue("unit", unit)])
    if panel.bar:
        builder.override_by_name(
            panel.bar,
            [
                model.DynamicConfigValue("custom.cellOptions", {"type": "gauge", "mode": "basic"}),
                model.DynamicConfigValue("min", 0),
                model.DynamicConfigValue("max", 1),
            ],
        )
    return builder


def _organization_link() -> model.DashboardLink:
    """Returns the link of a name in a table to the dashboard of that organization."""
    kept = "${__url_time_range}&${datasource:queryparam}&${environment:queryparam}&${job:queryparam}"
    url = f"/d/lkpush-organization?{kept}&var-org_name=${{__value.raw:percentencode}}"
    return dashboard.DashboardLink("Show this organization").type(model.DashboardLinkType.LINK).url(url).build()
