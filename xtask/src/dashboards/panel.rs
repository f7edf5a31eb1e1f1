//! What a dashboard is made of, without a word of Grafana's JSON.

/// Height of a row of graphs and tables, in Grafana's cells.
const TALL: u8 = 8;
/// Height of a row of single figures.
const FLAT: u8 = 4;

/// One dashboard.
pub(super) struct Dashboard {
    /// Its place in addresses, which never changes.
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    /// What it is for, in a sentence.
    pub(super) about: &'static str,
    pub(super) variables: &'static [Variable],
    pub(super) rows: Vec<Row>,
}

/// What a reader can choose at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// One tenant.
    Tenant,
    /// Any number of tenants; all in the beginning.
    Tenants,
    /// Any number of the tenant's namespaces, where pods have metrics of their own.
    Namespaces,
    /// Any number of nodes; all in the beginning.
    Nodes,
}

/// Panels that belong together, under a title.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

/// One panel.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    /// Columns of 24.
    pub(super) width: u8,
    pub(super) height: u8,
    pub(super) targets: Vec<Target>,
    /// From these values on it is a warning, and bad.
    pub(super) limits: Option<(f64, f64)>,
    /// The end of the scale.
    pub(super) most: Option<f64>,
}

/// How a panel shows what it has.
pub(super) enum Kind {
    /// Single figures.
    Stat,
    /// Lines over time.
    Lines,
    /// Areas on each other over time.
    Areas,
    /// A bar each.
    Bars,
    /// States over time: 1 is good, 0 is not.
    States,
    /// A table; the columns in their order.
    Table(Vec<Column>),
}

/// A column of a table: a label, or the value of a target.
pub(super) struct Column {
    /// The label, or `Value #A` and so on.
    pub(super) field: String,
    pub(super) title: &'static str,
    pub(super) unit: Unit,
    /// Leads to the dashboard of this tenant.
    pub(super) is_tenant: bool,
    /// As a bar behind the number.
    pub(super) has_bar: bool,
}

/// Units, as far as they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Number,
    /// CPUs kept busy.
    Cores,
    /// Seconds of waiting in a second.
    Waits,
    Bytes,
    BytesPerSecond,
    PerSecond,
    Seconds,
    /// Of one.
    Share,
    /// Since then.
    Ago,
    /// A label.
    Text,
}

/// One query.
pub(super) struct Target {
    pub(super) expr: String,
    /// Name of a series, with its labels as `{{label}}`.
    pub(super) legend: &'static str,
    /// Whether there are exemplars: traces of what was counted.
    pub(super) has_exemplars: bool,
}

impl Row {
    pub(super) fn new(title: &'static str, panels: Vec<Panel>) -> Self {
        Self { title, panels }
    }
}

/// A panel of single figures, a sixth of a row wide.
pub(super) fn stat(title: &'static str, unit: Unit, expr: impl Into<String>) -> Panel {
    Panel::new(title, Kind::Stat, unit, 4, FLAT).query(expr, "")
}

/// A panel of lines, half a row wide.
pub(super) fn lines(title: &'static str, unit: Unit) -> Panel {
    Panel::new(title, Kind::Lines, unit, 12, TALL)
}

/// A panel of areas, half a row wide.
pub(super) fn areas(title: &'static str, unit: Unit) -> Panel {
    Panel::new(title, Kind::Areas, unit, 12, TALL)
}

/// A panel of bars, half a row wide.
pub(super) fn bars(title: &'static str, unit: Unit) -> Panel {
    Panel::new(title, Kind::Bars, unit, 12, TALL)
}

/// A panel of states, half a row wide.
pub(super) fn states(title: &'static str) -> Panel {
    Panel::new(title, Kind::States, Unit::Number, 12, TALL)
}

/// A table, a row wide, of the labels that all its queries have.
pub(super) fn table(title: &'static str, labels: &[(&'static str, &'static str)]) -> Panel {
    let column = |&(field, title): &(&'static str, &'static str)| Column {
        field: field.to_owned(),
        title,
        unit: Unit::Text,
        is_tenant: field == "tenant" || field == "by",
        has_bar: false,
    };
    Panel::new(title, Kind::Table(labels.iter().map(column).collect()), Unit::Number, 24, 10)
}

impl Panel {
    fn new(title: &'static str, kind: Kind, unit: Unit, width: u8, height: u8) -> Self {
        let (targets, limits, most) = (Vec::new(), None, None);
        Self { title, about: "", kind, unit, width, height, targets, limits, most }
    }

    /// What it says, in a sentence or two.
    pub(super) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// One more query.
    pub(super) fn query(mut self, expr: impl Into<String>, legend: &'static str) -> Self {
        self.targets.push(Target { expr: expr.into(), legend, has_exemplars: false });
        self
    }

    /// One more query as a column of a table.
    pub(super) fn column(
        mut self,
        title: &'static str,
        unit: Unit,
        expr: impl Into<String>,
    ) -> Self {
        let field = format!("Value #{}", letter(self.targets.len()));
        if let Kind::Table(columns) = &mut self.kind {
            columns.push(Column { field, title, unit, is_tenant: false, has_bar: false });
        }
        self.query(expr, "")
    }

    /// The last column as a bar behind its number.
    pub(super) fn with_bar(mut self) -> Self {
        if let Kind::Table(columns) = &mut self.kind
            && let Some(column) = columns.last_mut()
        {
            column.has_bar = true;
        }
        self
    }

    /// Marks the last query as one with exemplars.
    pub(super) fn with_exemplars(mut self) -> Self {
        if let Some(target) = self.targets.last_mut() {
            target.has_exemplars = true;
        }
        self
    }

    /// From these values on it is a warning, and bad.
    pub(super) fn limits(mut self, warning: f64, bad: f64) -> Self {
        self.limits = Some((warning, bad));
        self
    }

    /// The end of the scale.
    pub(super) fn most(mut self, most: f64) -> Self {
        self.most = Some(most);
        self
    }
}

/// By which letter a panel's query of this number goes.
pub(super) fn letter(number: usize) -> char {
    u8::try_from(number).map_or('Z', |number| char::from(b'A' + number.min(25)))
}

/// Samples of a query, or where it has none one 0 that is called `none`: a loss that
/// never was is a figure, too.
pub(super) fn or_none(expr: &str, label: &str) -> String {
    format!("{expr} or on () label_replace(vector(0), \"{label}\", \"none\", \"\", \"\")")
}
