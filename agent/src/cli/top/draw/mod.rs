//! Draws the live table: header, table, pane of one tenant, footer.
//!
//! It only reads the view, except for the scroll position, which depends on the
//! height of the table.

mod detail;
mod help;
mod table;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::columns::{Column, fit};
use super::rates::{Rates, Row};
use super::theme::Theme;
use super::view::{Mode, View};
use crate::cli::figures::{bytes, cores, count, printable, span};
use crate::usage::tenant::NodeUsage;

/// A sample is old when it is this many intervals late.
const LATE_INTERVALS: f64 = 3.0;
/// Below this many lines there is no room for the pane beside the table.
const LEAST_HEIGHT_FOR_PANE: u16 = 14;

/// Draws everything; `now_unix_ms` tells the age of the sample.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &mut View, theme: Theme, now_unix_ms: u64) {
    let area = frame.area();
    let pane = if view.detail && area.height >= LEAST_HEIGHT_FOR_PANE {
        (area.height / 2).min(detail::HEIGHT)
    } else {
        0
    };
    let [header, sums, table, detail, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(pane),
        Constraint::Length(1),
    ])
    .areas(area);
    two_ends(frame, header, &left_header(view, theme), &right_header(view, theme, now_unix_ms));
    frame.render_widget(second_line(view, theme), sums);
    table::draw(frame, table, view, theme);
    if let Some(row) = view.selected_row().filter(|_| pane > 0) {
        detail::draw(frame, detail, view, row, theme);
    }
    frame.render_widget(foot(view, theme, footer.width), footer);
    if view.mode == Mode::Help {
        help::draw(frame, area, theme);
    }
}

/// Columns on a terminal of this width, in order.
pub(crate) fn shown_columns(width: u16) -> Vec<Column> {
    fit(width).0.into_iter().map(|(column, _)| column).collect()
}

/// Who measures what, in falling importance: the last parts give way.
fn left_header(view: &View, theme: Theme) -> Vec<Span<'static>> {
    let about = &view.about;
    let mut parts = vec![Span::styled(about.meter.clone(), theme.title())];
    for (word, name) in [("", &about.host), ("Linux ", &about.kernel)] {
        if !name.is_empty() {
            parts.push(Span::raw(format!("  {word}{name}")));
        }
    }
    parts
}

fn right_header(view: &View, theme: Theme, now_unix_ms: u64) -> Vec<Span<'static>> {
    let Some(sample) = &view.after else { return Vec::new() };
    let tenants = sample.tenants.len();
    let tenants = if tenants == 1 { "1 tenant".to_owned() } else { format!("{tenants} tenants") };
    let age = age_seconds(sample, now_unix_ms);
    let late = age > view.interval.as_secs_f64() * LATE_INTERVALS;
    let age_style = if late { theme.warning() } else { Style::new() };
    vec![
        Span::raw(tenants),
        Span::raw("  "),
        losses(sample, theme),
        Span::styled(format!("  read {} ago", span(age)), age_style),
    ]
}

fn age_seconds(sample: &NodeUsage, now_unix_ms: u64) -> f64 {
    now_unix_ms.saturating_sub(sample.read_at_unix_ms) as f64 / 1e3
}

fn losses(sample: &NodeUsage, theme: Theme) -> Span<'static> {
    let lost = &sample.agent.lost_total;
    let sum: u64 = lost.values().fold(0, |sum, &count| sum.saturating_add(count));
    // The most frequent cause is the one to look into.
    match lost.iter().max_by_key(|&(_, &count)| count) {
        Some((cause, _)) if sum > 0 => {
            Span::styled(format!("lost {} ({cause})", count(sum as f64)), theme.alarm())
        }
        _ => Span::styled("lost 0", theme.faint()),
    }
}

/// The node's sums, or what keeps newer ones away.
fn second_line(view: &View, theme: Theme) -> Line<'static> {
    let mut parts = Vec::new();
    if view.paused {
        parts.push(Span::styled("PAUSED  ", theme.warning()));
    }
    if let Some(trouble) = &view.trouble {
        parts.push(Span::styled(trouble.clone(), theme.alarm()));
        return Line::from(parts);
    }
    let rows = view.all_rows();
    let rate = |pick: fn(&Rates) -> f64| -> f64 {
        rows.iter().filter_map(|row| row.rates.as_ref()).map(pick).sum()
    };
    if rows.iter().any(|row| row.rates.is_some()) {
        let memory = |row: &Row| row.usage.memory_bytes.unwrap_or(0) as f64;
        for (word, figure) in [
            ("cpu", cores(rate(|rates| rates.cpu_cores))),
            ("wait", cores(rate(|rates| rates.cpu_wait_ratio))),
            ("memory", bytes(rows.iter().map(memory).sum())),
            ("in", bytes(rate(|rates| rates.network_receive_bytes_per_second)) + "/s"),
            ("out", bytes(rate(|rates| rates.network_transmit_bytes_per_second)) + "/s"),
            ("calls", count(rate(|rates| rates.syscalls_per_second)) + "/s"),
        ] {
            parts.push(Span::styled(format!("{word} "), theme.faint()));
            parts.push(Span::raw(format!("{figure}  ")));
        }
    }
    Line::from(parts)
}

fn foot(view: &View, theme: Theme, width: u16) -> Line<'static> {
    if view.mode == Mode::Filter {
        return Line::from(vec![
            Span::styled("filter: ", theme.title()),
            Span::raw(view.filter.clone()),
            Span::styled("▏", theme.title()),
            Span::styled("  Enter keeps it, Esc drops it", theme.faint()),
        ]);
    }
    let interval = interval_text(view);
    let mut keys = vec![
        ("q", "quit"),
        ("←→", "sort"),
        ("r", "reverse"),
        ("/", "filter"),
        ("↑↓ Enter", "detail"),
        ("p", if view.paused { "go on" } else { "pause" }),
        ("+-", interval.as_str()),
        ("?", "help"),
    ];
    let filter = printable(&view.filter);
    if !view.filter.is_empty() {
        keys.insert(0, ("filter:", filter.as_str()));
    }
    let mut line = Line::default();
    for (key, meaning) in keys {
        let text = format!(" {meaning}  ");
        if line.width() + Span::raw(key).width() + text.trim_end().len() > usize::from(width) {
            break;
        }
        line.push_span(Span::styled(key.to_owned(), theme.title()));
        line.push_span(Span::raw(text));
    }
    line
}

fn interval_text(view: &View) -> String {
    let seconds = view.interval.as_secs_f64();
    if seconds < 1.0 { format!("{:.0}ms", seconds * 1e3) } else { format!("{seconds}s") }
}

/// One line with text at both ends; on the left, trailing parts that find no room
/// are left out.
fn two_ends(frame: &mut Frame<'_>, area: Rect, left: &[Span<'_>], right: &[Span<'_>]) {
    let right = Line::from(right.to_vec()).right_aligned();
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let mut line = Line::default();
    for part in left {
        if line.width() + part.width() > room && line.width() > 0 {
            break;
        }
        line.push_span(part.clone());
    }
    frame.render_widget(line, area);
    let [_, at] = Layout::horizontal([
        Constraint::Fill(1),
        Constraint::Length(u16::try_from(right.width()).unwrap_or(u16::MAX)),
    ])
    .areas(area);
    frame.render_widget(right, at);
}

/// Shortens text to a width, with an ellipsis where something is missing.
fn clip(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.to_owned();
    }
    let mut short = text.to_owned();
    while Span::raw(short.as_str()).width() + 1 > width && short.pop().is_some() {}
    short + "…"
}

#[cfg(test)]
mod tests;
