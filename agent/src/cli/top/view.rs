//! What the live table shows and how keys change it.
//!
//! It never draws, waits or asks: samples and keys come in, [`Effect`]s go out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;

use super::columns::{Column, sort};
use super::rates::{Row, rows};
use super::source::About;
use crate::usage::tenant::NodeUsage;

/// Samples that a history keeps.
pub(crate) const HISTORY: usize = 60;

/// Intervals that `+` and `-` choose from.
const INTERVALS: [Duration; 8] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Lines that a page key moves by.
const PAGE: usize = 10;

/// Who takes the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The table.
    Table,
    /// The line in which the filter is typed.
    Filter,
    /// The page of keys.
    Help,
}

/// What a key asks of the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// Leave.
    Quit,
    /// Sample this often from now on.
    Interval(Duration),
}

/// All that is shown.
#[derive(Debug)]
pub(crate) struct View {
    /// Where the samples come from.
    pub(crate) about: About,
    /// Time between samples.
    pub(crate) interval: Duration,
    /// The last sample but one.
    pub(crate) before: Option<NodeUsage>,
    /// The last sample.
    pub(crate) after: Option<NodeUsage>,
    /// Tenants that the filter lets through, in order.
    pub(crate) rows: Vec<Row>,
    /// CPU cores per sample by tenant, oldest first.
    pub(crate) history: BTreeMap<String, VecDeque<f64>>,
    /// Column that sorts.
    pub(crate) sort: Column,
    /// True when the order is turned round.
    pub(crate) reverse: bool,
    /// Part of a tenant's name; empty lets all through.
    pub(crate) filter: String,
    /// Who takes the keys.
    pub(crate) mode: Mode,
    /// The tenant that the cursor follows; `None` until it is moved.
    pub(crate) selected: Option<String>,
    /// True while the pane of the selected tenant is open.
    pub(crate) detail: bool,
    /// True while samples are ignored.
    pub(crate) paused: bool,
    /// Why there is no newer sample.
    pub(crate) trouble: Option<String>,
    /// Scroll position of the table.
    pub(crate) scroll: TableState,
}

impl View {
    pub(crate) fn new(about: About, interval: Duration, sort: Column, reverse: bool) -> Self {
        Self {
            about,
            interval,
            before: None,
            after: None,
            rows: Vec::new(),
            history: BTreeMap::new(),
            sort,
            reverse,
            filter: String::new(),
            mode: Mode::Table,
            selected: None,
            detail: false,
            paused: false,
            trouble: None,
            scroll: TableState::new(),
        }
    }

    /// Takes in a sample, or why there is none.
    pub(crate) fn on_sample(&mut self, sample: Result<NodeUsage, String>) {
        if self.paused {
            return;
        }
        match sample {
            Err(trouble) => self.trouble = Some(trouble),
            Ok(sample) => {
                self.trouble = None;
                // The same reading again says nothing new.
                let newest = self.after.as_ref().map(|after| after.read_at_unix_ms);
                if newest == Some(sample.read_at_unix_ms) {
                    return;
                }
                self.before = self.after.replace(sample);
                self.remember();
                self.arrange();
            }
        }
    }

    /// Every tenant's row, whatever the filter.
    pub(crate) fn all_rows(&self) -> Vec<Row> {
        self.after.as_ref().map_or_else(Vec::new, |after| rows(self.before.as_ref(), after))
    }

    fn remember(&mut self) {
        let rows = self.all_rows();
        self.history.retain(|tenant, _| rows.iter().any(|row| row.usage.tenant == *tenant));
        for row in rows {
            let Some(rates) = row.rates else { continue };
            let history = self.history.entry(row.usage.tenant).or_default();
            if history.len() == HISTORY {
                history.pop_front();
            }
            history.push_back(rates.cpu_cores);
        }
    }

    /// Filters and sorts anew.
    fn arrange(&mut self) {
        let wanted = self.filter.to_lowercase();
        let mut rows = self.all_rows();
        rows.retain(|row| row.usage.tenant.to_lowercase().contains(&wanted));
        sort(&mut rows, self.sort, self.reverse);
        self.rows = rows;
        self.scroll.select(self.cursor());
    }

    /// Line of the selected tenant, while it is among the rows.
    fn cursor(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.rows.iter().position(|row| row.usage.tenant == *selected)
    }

    /// The row that the pane shows.
    pub(crate) fn selected_row(&self) -> Option<&Row> {
        self.rows.get(self.cursor()?)
    }

    /// Acts on a key; `shown` are the columns on the screen, in order.
    pub(crate) fn on_key(&mut self, key: KeyEvent, shown: &[Column]) -> Effect {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Effect::Quit } else { Effect::None };
        }
        match self.mode {
            Mode::Help => self.mode = Mode::Table,
            Mode::Filter => self.on_filter_key(key.code),
            Mode::Table => return self.on_table_key(key.code, shown),
        }
        Effect::None
    }

    fn on_filter_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.mode = Mode::Table,
            KeyCode::Esc => {
                self.filter.clear();
                self.mode = Mode::Table;
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
        self.arrange();
    }

    fn on_table_key(&mut self, code: KeyCode, shown: &[Column]) -> Effect {
        match code {
            KeyCode::Char('q') => return Effect::Quit,
            // Leaves what was opened last, and only then the program.
            KeyCode::Esc if self.detail => self.detail = false,
            KeyCode::Esc if !self.filter.is_empty() => self.filter.clear(),
            KeyCode::Esc if self.selected.is_some() => self.selected = None,
            KeyCode::Esc => return Effect::Quit,
            KeyCode::Char('?') | KeyCode::F(1) => self.mode = Mode::Help,
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char('r') => self.reverse = !self.reverse,
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('+' | '=') => return self.change_interval(true),
            KeyCode::Char('-') => return self.change_interval(false),
            KeyCode::Left => self.sort_beside(shown, false),
            KeyCode::Right => self.sort_beside(shown, true),
            KeyCode::Up => self.move_cursor(|at| at.saturating_sub(1)),
            KeyCode::Down => self.move_cursor(|at| at + 1),
            KeyCode::PageUp => self.move_cursor(|at| at.saturating_sub(PAGE)),
            KeyCode::PageDown => self.move_cursor(|at| at + PAGE),
            KeyCode::Home => self.move_cursor(|_| 0),
            KeyCode::End => self.move_cursor(|_| usize::MAX),
            KeyCode::Enter => {
                if self.cursor().is_none() {
                    self.move_cursor(|_| 0);
                }
                self.detail = !self.detail && self.selected.is_some();
            }
            KeyCode::Char(c) => match Column::of_key(c) {
                Some(column) if column == self.sort => self.reverse = !self.reverse,
                Some(column) => (self.sort, self.reverse) = (column, false),
                None => {}
            },
            _ => {}
        }
        self.arrange();
        Effect::None
    }

    fn change_interval(&mut self, longer: bool) -> Effect {
        let next = if longer {
            INTERVALS.into_iter().find(|&interval| interval > self.interval)
        } else {
            INTERVALS.into_iter().rev().find(|&interval| interval < self.interval)
        };
        match next {
            Some(interval) => {
                self.interval = interval;
                Effect::Interval(interval)
            }
            None => Effect::None,
        }
    }

    fn sort_beside(&mut self, shown: &[Column], right: bool) {
        let sortable: Vec<Column> =
            shown.iter().copied().filter(|column| *column != Column::History).collect();
        let at = sortable.iter().position(|&column| column == self.sort);
        let next = match (at, right) {
            (Some(at), true) => at + 1,
            (Some(at), false) => at.saturating_sub(1),
            (None, _) => 0,
        };
        if let Some(&column) = sortable.get(next) {
            (self.sort, self.reverse) = (column, false);
        }
    }

    fn move_cursor(&mut self, to: impl FnOnce(usize) -> usize) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        // The first move brings the cursor to the first line.
        let at = self.cursor().map_or(0, |at| to(at).min(last));
        self.selected = self.rows.get(at).map(|row| row.usage.tenant.clone());
    }
}

#[cfg(test)]
mod tests;
