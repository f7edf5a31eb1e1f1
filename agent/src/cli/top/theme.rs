//! Colours of the live table, or their absence.

use ratatui::style::{Color, Modifier, Style};

/// How each kind of text looks. Without colours, weight alone tells them apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    coloured: bool,
}

impl Theme {
    /// Colours only where the user's terminal and wishes allow them.
    pub(crate) fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    fn colour(self, colour: Color) -> Style {
        if self.coloured { Style::new().fg(colour) } else { Style::new() }
    }

    /// Names that lead a line.
    pub(crate) fn title(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Heads of columns.
    pub(crate) fn head(self) -> Style {
        self.colour(Color::Cyan)
    }

    /// The head of the column that sorts.
    pub(crate) fn sorted(self) -> Style {
        self.title()
    }

    /// What matters less.
    pub(crate) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Bars of the history.
    pub(crate) fn history(self) -> Style {
        self.colour(Color::Green)
    }

    /// The selected line.
    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Worth a look.
    pub(crate) fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    /// Wrong.
    pub(crate) fn alarm(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Weighs a figure by its thresholds.
    pub(crate) fn weigh(self, value: Option<f64>, warning: f64, alarm: f64) -> Style {
        match value {
            Some(value) if value >= alarm => self.alarm(),
            Some(value) if value >= warning => self.warning(),
            _ => Style::new(),
        }
    }
}
