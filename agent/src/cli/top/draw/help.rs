//! The page of keys and columns.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::super::theme::Theme;

const KEYS: [(&str, &str); 9] = [
    ("q, Ctrl-C", "quit"),
    ("← →", "sort by the column beside"),
    ("r", "reverse the order"),
    ("↑ ↓ PgUp PgDn", "choose a tenant"),
    ("Enter", "open or close its details"),
    ("/", "show only names that hold a text"),
    ("p, Space", "pause and go on"),
    ("+ -", "sample less or more often"),
    ("Esc", "close what was opened last, or quit"),
];

/// Key that sorts, title, meaning.
const COLUMNS: [(&str, &str, &str); 9] = [
    ("t", "TENANT", "who owns the cgroups; `host` is what runs outside any"),
    ("c l", "CPU LIM%", "cores in use; their part of the tenant's limit"),
    ("w", "WAIT", "seconds a second that its threads waited for a CPU"),
    ("n", "NEIGHBOUR", "who ran meanwhile most, and its share of the waiting"),
    ("h", "THROT", "seconds a second held back by its CPU limit"),
    ("m", "MEMORY", "in use now"),
    ("i o", "IN OUT", "bytes of IP packets received and sent a second"),
    ("s", "CALLS", "system calls a second"),
    ("d b", "READ WRITE", "bytes from and to disks a second"),
];

const NOTE: &str = "CPU HISTORY has a scale per line. 1 KiB is 1024 bytes. Any key closes.";

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let mut lines: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(key, meaning)| {
            Line::from(vec![Span::styled(format!("{key:<15}"), theme.title()), Span::raw(*meaning)])
        })
        .collect();
    lines.push(Line::default());
    lines.extend(COLUMNS.iter().map(|(key, title, meaning)| {
        Line::from(vec![
            Span::styled(format!("{key:<4}"), theme.title()),
            Span::styled(format!("{title:<11}"), theme.head()),
            Span::raw(*meaning),
        ])
    }));
    lines.push(Line::styled(NOTE, theme.faint()));

    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [row] =
        Layout::vertical([Constraint::Max(height)]).flex(ratatui::layout::Flex::Center).areas(area);
    let [page] =
        Layout::horizontal([Constraint::Max(76)]).flex(ratatui::layout::Flex::Center).areas(row);
    frame.render_widget(Clear, page);
    let block = Block::bordered()
        .title(Span::styled(" Keys and columns ", theme.title()))
        .padding(Padding::horizontal(1));
    frame.render_widget(Paragraph::new(lines).block(block), page);
}
