//! Grafana's JSON of a dashboard, as Grafana 10 and newer read it.

use serde_json::{Map, Value, json};

use super::panel::{Column, Dashboard, Kind, Panel, Target, Unit, Variable, letter};

/// The form of the JSON: that of Grafana 11.6, which older ones read as far as it is used.
const SCHEMA_VERSION: u32 = 41;
/// Columns of a dashboard.
const WIDTH: u8 = 24;
/// By which the dashboards find each other.
const TAG: &str = "landlord";

/// The whole dashboard.
pub(super) fn json(dashboard: &Dashboard) -> Value {
    json!({
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "timepicker": {},
        "templating": { "list": variables(dashboard.variables) },
        "annotations": { "list": [firing()] },
        "links": [others()],
        "panels": panels(dashboard),
    })
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// The other dashboards, with what is chosen here.
fn others() -> Value {
    json!({
        "type": "dashboards",
        "title": "Landlord",
        "icon": "external link",
        "tooltip": "",
        "url": "",
        "tags": [TAG],
        "asDropdown": false,
        "targetBlank": false,
        "includeVars": true,
        "keepTime": true,
    })
}

/// Marks where alerts of Landlord's begin and end.
fn firing() -> Value {
    json!({
        "name": "Alerts",
        "datasource": datasource(),
        "enable": true,
        "hide": false,
        "iconColor": "red",
        "expr": "ALERTS{alertname=~\"Landlord.+\",alertstate=\"firing\"}",
    })
}

fn variables(variables: &[Variable]) -> Vec<Value> {
    let source = json!({
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "hide": 0,
        "skipUrlSync": false,
        "multi": false,
        "includeAll": false,
        "refresh": 1,
        "regex": "",
        "options": [],
        "current": {},
    });
    std::iter::once(source).chain(variables.iter().map(|of| variable(*of))).collect()
}

fn variable(variable: Variable) -> Value {
    let tenants = "label_values(landlord_tenant_cgroups, tenant)";
    let namespaces = "label_values(landlord_pod_cpu_seconds_total{tenant=\"$tenant\"}, namespace)";
    let (name, label, query, is_multi) = match variable {
        Variable::Tenant => ("tenant", "Tenant", tenants, false),
        Variable::Tenants => ("tenant", "Tenant", tenants, true),
        Variable::Namespaces => ("namespace", "Namespace", namespaces, true),
        Variable::Nodes => ("node", "Node", "label_values(landlord_build_info, node)", true),
    };
    let mut json = json!({
        "type": "query",
        "name": name,
        "label": label,
        "datasource": datasource(),
        "query": { "query": query, "refId": name },
        "hide": 0,
        "skipUrlSync": false,
        "multi": is_multi,
        "includeAll": is_multi,
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "options": [],
        "current": {},
    });
    if is_multi {
        // Also what has no such label: an agent that is scraped without a cluster.
        json["allValue"] = json!(".*");
        json["current"] = json!({ "selected": true, "text": "All", "value": "$__all" });
    }
    json
}

/// Rows and panels, laid out from left to right.
fn panels(dashboard: &Dashboard) -> Vec<Value> {
    let mut all = Vec::new();
    let mut top = 0_u32;
    for row in &dashboard.rows {
        all.push(json!({
            "type": "row",
            "id": all.len() + 1,
            "title": row.title,
            "collapsed": false,
            "gridPos": { "x": 0, "y": top, "w": WIDTH, "h": 1 },
            "panels": [],
        }));
        top += 1;
        let (mut left, mut line) = (0, 0);
        for panel in &row.panels {
            if left + panel.width > WIDTH {
                top += line;
                (left, line) = (0, 0);
            }
            let place = json!({ "x": left, "y": top, "w": panel.width, "h": panel.height });
            all.push(self::panel(panel, all.len() + 1, &place));
            left += panel.width;
            line = line.max(u32::from(panel.height));
        }
        top += line;
    }
    all
}

fn panel(panel: &Panel, id: usize, place: &Value) -> Value {
    let is_table = matches!(panel.kind, Kind::Table(_));
    let is_instant = is_table || matches!(panel.kind, Kind::Bars);
    let targets = panel.targets.iter().enumerate();
    let targets: Vec<Value> = targets
        .map(|(number, target)| self::target(target, number, is_instant, is_table))
        .collect();
    let mut json = json!({
        "type": plugin(&panel.kind),
        "id": id,
        "title": panel.title,
        "description": panel.about,
        "datasource": datasource(),
        "gridPos": place,
        "targets": targets,
        "options": options(&panel.kind),
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
    });
    if let Kind::Table(columns) = &panel.kind {
        json["transformations"] = transformations(columns, panel.targets.len());
        json["fieldConfig"]["overrides"] = columns.iter().map(|it| column(it, panel)).collect();
    }
    json
}

fn target(target: &Target, number: usize, is_instant: bool, is_table: bool) -> Value {
    json!({
        "refId": letter(number).to_string(),
        "datasource": datasource(),
        "editorMode": "code",
        "expr": target.expr,
        "legendFormat": target.legend,
        "instant": is_instant,
        "range": !is_instant,
        "exemplar": target.has_exemplars,
        "format": if is_table { "table" } else { "time_series" },
    })
}

const fn plugin(kind: &Kind) -> &'static str {
    match kind {
        Kind::Stat => "stat",
        Kind::Lines | Kind::Areas => "timeseries",
        Kind::Bars => "bargauge",
        Kind::States => "state-timeline",
        Kind::Table(_) => "table",
    }
}

fn options(kind: &Kind) -> Value {
    let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match kind {
        Kind::Stat => json!({
            "reduceOptions": last,
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
        }),
        Kind::Lines | Kind::Areas => json!({
            "legend": {
                "showLegend": true,
                "displayMode": "table",
                "placement": "right",
                "calcs": ["lastNotNull", "max"],
                "sortBy": "Last *",
                "sortDesc": true,
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Bars => json!({
            "reduceOptions": last,
            "displayMode": "gradient",
            "valueMode": "color",
            "orientation": "horizontal",
            "showUnfilled": true,
            "minVizWidth": 8,
            "minVizHeight": 16,
        }),
        Kind::States => json!({
            "showValue": "never",
            "rowHeight": 0.8,
            "mergeValues": true,
            "alignValue": "left",
            "legend": {
                "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [],
            },
            "tooltip": { "mode": "single", "sort": "none" },
        }),
        Kind::Table(columns) => {
            let first = columns.iter().find(|column| column.field.starts_with("Value"));
            json!({
                "showHeader": true,
                "cellHeight": "sm",
                "frameIndex": 0,
                "footer": { "show": false, "reducer": ["sum"], "countRows": false },
                "sortBy": first.map(|it| json!({ "displayName": it.title, "desc": true })).as_slice(),
            })
        }
    }
}

fn defaults(panel: &Panel) -> Value {
    let mut json = unit(panel.unit);
    json["min"] = json!(0);
    if let Some(most) = panel.most {
        json["max"] = plain(most);
    }
    json["custom"] = custom(&panel.kind);
    let is_graph = matches!(panel.kind, Kind::Lines | Kind::Areas);
    json["color"] = json!({ "mode": if is_graph { "palette-classic" } else { "thresholds" } });
    let mut steps = vec![json!({ "color": "green", "value": null })];
    if matches!(panel.kind, Kind::States) {
        steps =
            vec![json!({ "color": "red", "value": null }), json!({ "color": "green", "value": 1 })];
        json["mappings"] = json!([{
            "type": "value",
            "options": {
                "0": { "text": "no", "index": 0 },
                "1": { "text": "yes", "index": 1 },
            },
        }]);
    }
    if let Some((warning, bad)) = panel.limits {
        steps.push(json!({ "color": "orange", "value": plain(warning) }));
        steps.push(json!({ "color": "red", "value": plain(bad) }));
    }
    json["thresholds"] = json!({ "mode": "absolute", "steps": steps });
    json
}

/// A number without a fraction that is none, as what reads and writes JSON leaves that out.
fn plain(number: f64) -> Value {
    serde_json::from_str(&number.to_string()).unwrap_or(Value::Null)
}

fn unit(unit: Unit) -> Value {
    let (name, decimals) = match unit {
        Unit::Number | Unit::Text => ("short", None),
        Unit::Cores => ("suffix: cores", Some(2)),
        Unit::Waits => ("suffix: s/s", Some(2)),
        Unit::Bytes => ("bytes", None),
        Unit::BytesPerSecond => ("Bps", None),
        Unit::PerSecond => ("cps", None),
        Unit::Seconds => ("s", None),
        Unit::Share => ("percentunit", Some(1)),
        Unit::Ago => ("dateTimeFromNow", None),
    };
    let mut json = json!({ "unit": name });
    if let Some(decimals) = decimals {
        json["decimals"] = json!(decimals);
    }
    json
}

fn custom(kind: &Kind) -> Value {
    let is_stacked = matches!(kind, Kind::Areas);
    match kind {
        Kind::Lines | Kind::Areas => json!({
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": if is_stacked { 40 } else { 8 },
            "showPoints": "never",
            "spanNulls": false,
            "stacking": { "mode": if is_stacked { "normal" } else { "none" }, "group": "A" },
        }),
        Kind::States => json!({ "fillOpacity": 70, "lineWidth": 0 }),
        Kind::Table(_) => json!({ "align": "auto", "inspect": false, "filterable": false }),
        Kind::Stat | Kind::Bars => json!({}),
    }
}

/// One row for each combination of labels, and only the columns that were asked for.
fn transformations(columns: &[Column], targets: usize) -> Value {
    let names: Map<String, Value> =
        columns.iter().map(|it| (field(it, targets), json!(it.title))).collect();
    let order = columns.iter().enumerate();
    let order: Map<String, Value> =
        order.map(|(number, it)| (field(it, targets), json!(number))).collect();
    json!([
        { "id": "merge", "options": {} },
        {
            "id": "organize",
            "options": {
                "excludeByName": { "Time": true },
                "renameByName": names,
                "indexByName": order,
            },
        },
    ])
}

/// Grafana leaves the letter out where there is only one query.
fn field(column: &Column, targets: usize) -> String {
    let is_only = targets == 1 && column.field.starts_with("Value");
    if is_only { "Value".to_owned() } else { column.field.clone() }
}

/// How one column is shown.
fn column(column: &Column, panel: &Panel) -> Value {
    let mut properties = Vec::new();
    let unit = unit(column.unit);
    for id in ["unit", "decimals"] {
        if let Some(value) = unit.get(id).filter(|_| column.unit != Unit::Text) {
            properties.push(json!({ "id": id, "value": value }));
        }
    }
    if column.is_tenant {
        let to = "/d/landlord-tenant?${datasource:queryparam}&var-tenant=${__value.raw}\
                  &${__url_time_range}";
        let link = json!({ "title": "This tenant", "url": to });
        properties.push(json!({ "id": "links", "value": [link] }));
    }
    if column.has_bar {
        let cell = json!({ "type": "gauge", "mode": "gradient", "valueDisplayMode": "text" });
        properties.push(json!({ "id": "custom.cellOptions", "value": cell }));
    }
    if column.has_bar && panel.limits.is_none() {
        properties.push(json!({ "id": "color", "value": { "mode": "continuous-GrYlRd" } }));
    }
    json!({ "matcher": { "id": "byName", "options": column.title }, "properties": properties })
}
