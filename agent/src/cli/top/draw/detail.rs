//! The pane of one tenant: its calls, what it waited for, its traffic and limits.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::super::rates::{Row, Window, wait_causes};
use super::super::theme::Theme;
use super::super::view::View;
use super::clip;
use crate::cli::figures::{bytes, cores, count, or_dash, percent, printable, span};
use crate::usage::tenant::TenantUsage;

/// Most lines that the pane takes, its border included.
pub(super) const HEIGHT: u16 = 13;
/// Width of the column of figures.
const FIGURES: u16 = 25;
/// Columns of lists grow up to this width, for long names.
const LIST_MOST: u16 = 44;
const GAP: u16 = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &View, row: &Row, theme: Theme) {
    let title = format!(" {} ", printable(&row.usage.tenant));
    let block = Block::new()
        .borders(Borders::TOP)
        .title(Span::styled(title, theme.title()))
        .title(Line::styled(" Esc closes ", theme.faint()).right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lists = inner.width.saturating_sub(FIGURES + 2 * GAP) / 2;
    let lists = Constraint::Length(lists.min(LIST_MOST));
    let [calls, waits, figures] =
        Layout::horizontal([lists, lists, Constraint::Length(FIGURES)]).spacing(GAP).areas(inner);

    let window = match (&view.before, &view.after) {
        (Some(before), Some(after)) => Window::between(before, after),
        _ => None,
    };
    let earlier = window.as_ref().map(|window| (window, window.earlier(&row.usage.tenant)));
    let earlier = earlier.as_ref().map(|(window, usage)| (*window, usage));
    frame.render_widget(Paragraph::new(calls_lines(row, earlier, calls.width, theme)), calls);
    frame.render_widget(Paragraph::new(waits_lines(row, earlier, waits.width, theme)), waits);
    frame.render_widget(Paragraph::new(figures_lines(&row.usage, earlier, theme)), figures);
}

/// The earlier reading of the same tenant, and the time since.
type Earlier<'a> = Option<(&'a Window<'a>, &'a TenantUsage)>;

fn calls_lines(row: &Row, earlier: Earlier<'_>, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let mut calls: Vec<(&str, Option<f64>, f64)> = row
        .usage
        .syscalls_total
        .iter()
        .map(|(name, &total)| {
            let rate = earlier.map(|(window, usage)| {
                let before = usage.syscalls_total.get(name).copied().unwrap_or(0);
                window.per_second(before as f64, total as f64)
            });
            (name.as_str(), rate, total as f64)
        })
        .collect();
    calls.sort_by(|one, other| {
        let key = |call: &(&str, Option<f64>, f64)| (call.1.unwrap_or(0.0), call.2);
        let (one, other) = (key(one), key(other));
        other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    let room = usize::from(width).saturating_sub(12);
    let head = format!("{:<room$} {:>5} {:>5}", "SYSTEM CALL", "/s", "total");
    let lines = calls.into_iter().map(|(name, rate, total)| {
        let name = clip(&printable(name), room);
        Line::raw(format!("{name:<room$} {:>5} {:>5}", or_dash(rate, count), count(total)))
    });
    std::iter::once(Line::styled(head, theme.head())).chain(lines).collect()
}

fn waits_lines(row: &Row, earlier: Earlier<'_>, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let room = usize::from(width).saturating_sub(12);
    let head = format!("{:<room$} {:>6} {:>4}", "WAITED FOR", "s/s", "");
    let mut lines = vec![Line::styled(head, theme.head())];
    let Some((window, usage)) = earlier else { return lines };
    let mut causes: Vec<_> = wait_causes(usage, &row.usage).into_iter().collect();
    causes.sort_by(|one, other| other.1.total_cmp(&one.1));
    let all: f64 = causes.iter().map(|(_, seconds)| seconds).sum();
    if causes.is_empty() {
        lines.push(Line::styled("nobody", theme.faint()));
    }
    lines.extend(causes.into_iter().map(|(by, seconds)| {
        let own = by == row.usage.tenant;
        let name = if own { "itself".to_owned() } else { clip(&printable(&by), room) };
        let rate = cores(seconds / window.seconds());
        let line = Line::raw(format!("{name:<room$} {rate:>6} {:>4}", percent(seconds / all)));
        if own { line.style(theme.faint()) } else { line }
    }));
    lines
}

fn figures_lines(usage: &TenantUsage, earlier: Earlier<'_>, theme: Theme) -> Vec<Line<'static>> {
    let traffic = |name: &str, pick: fn(&TenantUsage) -> (u64, u64)| {
        let rate = |side: fn((u64, u64)) -> u64| {
            or_dash(earlier, |(window, before)| {
                bytes(window.per_second(side(pick(before)) as f64, side(pick(usage)) as f64))
            })
        };
        Line::raw(format!("{name:<5}{:>10}{:>10}", rate(|pair| pair.0), rate(|pair| pair.1)))
    };
    let figure = |name: &str, value: String| Line::raw(format!("{name:<13}{value:>12}"));
    let size = |value: Option<u64>| or_dash(value, |value| bytes(value as f64));
    vec![
        Line::styled(format!("{:<5}{:>10}{:>10}", "BYTES", "in/s", "out/s"), theme.head()),
        traffic("IPv4", |usage| {
            let bytes = usage.network_bytes_total;
            (bytes.receive.ipv4, bytes.transmit.ipv4)
        }),
        traffic("IPv6", |usage| {
            let bytes = usage.network_bytes_total;
            (bytes.receive.ipv6, bytes.transmit.ipv6)
        }),
        traffic("disk", |usage| (usage.disk_bytes_total.read, usage.disk_bytes_total.write)),
        figure("memory", size(usage.memory_bytes)),
        figure("memory peak", size(usage.memory_peak_bytes)),
        figure("memory limit", size(usage.memory_limit_bytes)),
        figure("CPU limit", or_dash(usage.cpu_limit_cores, cores)),
        figure("throttled", span(usage.cpu_throttled_seconds_total)),
        figure("cgroups", usage.cgroups.to_string()),
        figure("OOM kills", usage.oom_kills_total.to_string()),
    ]
}
