//! The table of tenants.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row as Cells, Table};

use super::super::columns::{Column, fit, neighbour};
use super::super::rates::Row;
use super::super::theme::Theme;
use super::super::view::View;
use super::clip;
use crate::cli::figures::UNKNOWN;

const NOTHING: [&str; 5] = [UNKNOWN, "0", "0 B", "0.00", "0%"];
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A full bar stands for at least this many cores, so that an idle tenant does
/// not look busy.
const LEAST_FULL_BAR: f64 = 0.125;
/// Waiting, in seconds per second, that is worth a look, and that hurts.
const WAIT: (f64, f64) = (0.25, 1.0);
/// Waiting, in seconds per second, from which on its cause matters.
const WORTH_A_CAUSE: f64 = 0.02;
/// The same as [`WAIT`] for parts of a limit.
const LIMIT: (f64, f64) = (0.75, 0.9);

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &mut View, theme: Theme) {
    let (columns, gap) = fit(area.width);
    let head = Cells::new(columns.iter().map(|&(column, width)| head(column, width, view, theme)));
    let lines = view.rows.iter().map(|row| {
        let cells = columns.iter().map(|&(column, width)| {
            cell(column, width, row, view.history.get(&row.usage.tenant), theme)
        });
        // A tenant without cgroups has only its past.
        let style = if row.usage.cgroups == 0 { theme.faint() } else { Style::new() };
        Cells::new(cells).style(style)
    });
    let widths = columns.iter().map(|&(_, width)| Constraint::Length(width));
    let table = Table::new(lines, widths)
        .header(head)
        .column_spacing(gap)
        .row_highlight_style(theme.selected());
    frame.render_stateful_widget(table, area, &mut view.scroll);
    if let Some(notice) = notice(view) {
        let below_head = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        frame.render_widget(Paragraph::new(notice).style(theme.faint()), below_head);
    }
}

/// Says why there are no lines.
fn notice(view: &View) -> Option<String> {
    if !view.rows.is_empty() {
        return None;
    }
    Some(match &view.after {
        None => "Waiting for the first sample.".to_owned(),
        Some(sample) if sample.tenants.is_empty() => "No tenant has used anything yet.".to_owned(),
        Some(_) => format!("No tenant's name holds “{}”. Esc drops the filter.", view.filter),
    })
}

fn head(column: Column, width: u16, view: &View, theme: Theme) -> Cell<'static> {
    let look = column.look();
    let (text, style) = if column == view.sort {
        // Names go up and figures down by nature: the arrow shows what is seen.
        let falls = look.numeric || column == Column::Neighbour;
        let arrow = if falls == view.reverse { '▲' } else { '▼' };
        let style = theme.sorted().add_modifier(Modifier::UNDERLINED);
        // Where title and arrow do not both fit, the title does without its unit.
        let fits = look.title.len() < usize::from(width);
        let title = if fits { look.title } else { look.title.trim_end_matches("/s") };
        (format!("{title}{arrow}"), style)
    } else {
        (look.title.to_owned(), theme.head())
    };
    Cell::new(Line::styled(text, style).alignment(alignment(look.numeric)))
}

fn cell(
    column: Column,
    width: u16,
    row: &Row,
    history: Option<&VecDeque<f64>>,
    theme: Theme,
) -> Cell<'static> {
    let room = usize::from(width);
    let rates = row.rates.as_ref();
    let text = match column {
        Column::History => bars(history, room),
        Column::Neighbour => match neighbour(row) {
            // The share stands in its own column, whatever the name's length.
            Some((name, share)) => {
                let room = room.saturating_sub(5);
                format!("{:<room$} {share:>4}", clip(&name, room))
            }
            None => UNKNOWN.to_owned(),
        },
        _ => clip(&column.text(row), room),
    };
    let style = match column {
        Column::Tenant => Style::new().add_modifier(Modifier::BOLD),
        Column::History => theme.history(),
        Column::Wait => theme.weigh(rates.map(|rates| rates.cpu_wait_ratio), WAIT.0, WAIT.1),
        Column::Limit => {
            theme.weigh(rates.and_then(|rates| rates.cpu_limit_ratio), LIMIT.0, LIMIT.1)
        }
        Column::Memory => theme.weigh(memory_ratio(row), LIMIT.0, LIMIT.1),
        // Who causes next to nothing is no bad neighbour.
        Column::Neighbour if rates.is_none_or(|rates| rates.cpu_wait_ratio < WORTH_A_CAUSE) => {
            theme.faint()
        }
        _ => Style::new(),
    };
    // What is not there gives way to what is.
    let style = if NOTHING.contains(&text.as_str()) { theme.faint() } else { style };
    Cell::new(Text::styled(text, style).alignment(alignment(column.look().numeric)))
}

fn memory_ratio(row: &Row) -> Option<f64> {
    let limit = row.usage.memory_limit_bytes.filter(|&limit| limit > 0)?;
    Some(row.usage.memory_bytes? as f64 / limit as f64)
}

fn alignment(numeric: bool) -> Alignment {
    if numeric { Alignment::Right } else { Alignment::Left }
}

/// One bar per sample, the newest at the right end. A full bar stands for the next
/// power of two above the tenant's peak, so that it keeps its meaning for a while
/// and a steady tenant is not always at the top.
fn bars(history: Option<&VecDeque<f64>>, width: usize) -> String {
    let samples = history.map(VecDeque::iter).unwrap_or_default();
    let missing = samples.len().saturating_sub(width);
    let peak = history.into_iter().flatten().copied().fold(LEAST_FULL_BAR, f64::max);
    let full = peak.log2().ceil().exp2();
    let bars: String = samples
        .skip(missing)
        .map(|&cores| {
            // Thresholds instead of a cast: at seven eighths the bar is full.
            let level = (1..BARS.len()).rev().find(|&level| cores * 8.0 >= full * level as f64);
            BARS[level.unwrap_or(0)]
        })
        .collect();
    format!("{bars:>width$}")
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn histories() {
        let check = |samples: &[f64], width: usize, expected: &str| {
            let history = samples.iter().copied().collect();
            assert_eq!(bars(Some(&history), width), expected);
        };
        check(&[], 4, "    ");
        check(&[0.0, 1.0], 4, "  ▁█");
        check(&[0.0, 0.125, 0.25, 0.5, 0.75, 1.0], 6, "▁▂▃▅▇█");
        // The scale is that of the whole history, not of what fits.
        check(&[4.0, 1.0, 2.0], 2, "▃▅");
        // The peak need not be full.
        check(&[1.1, 1.1], 2, "▅▅");
        // An idle tenant stays flat.
        check(&[0.001, 0.002], 2, "▁▁");
    }
}
