//! Colours on standard output, and whether to use them.

use std::env;
use std::io::IsTerminal;

use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Effects, Style};

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal that shows them, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// True when this stream shall have colours.
    pub(crate) fn applies_to(self, stream: &impl IsTerminal) -> bool {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        self.decide(stream.is_terminal() && !dumb, set("NO_COLOR"))
    }

    fn decide(self, capable: bool, no_color: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => capable && !no_color,
        }
    }
}

/// Text that says all is well.
pub(crate) fn good(text: &str, coloured: bool) -> String {
    styled(text, AnsiColor::Green.on_default(), coloured)
}

/// Text that asks for a look.
pub(crate) fn doubtful(text: &str, coloured: bool) -> String {
    styled(text, AnsiColor::Yellow.on_default(), coloured)
}

/// Text that says something is wrong.
pub(crate) fn bad(text: &str, coloured: bool) -> String {
    styled(text, AnsiColor::Red.on_default() | Effects::BOLD, coloured)
}

/// Text that heads other text.
pub(crate) fn strong(text: &str, coloured: bool) -> String {
    styled(text, Style::new() | Effects::BOLD, coloured)
}

/// Text that matters less.
pub(crate) fn faint(text: &str, coloured: bool) -> String {
    styled(text, Style::new() | Effects::DIMMED, coloured)
}

fn styled(text: &str, style: Style, coloured: bool) -> String {
    if coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::ColorChoice;

    #[test]
    fn who_decides() {
        let check = |choice: ColorChoice, capable: bool, no_color: bool, expected: bool| {
            assert_eq!(choice.decide(capable, no_color), expected, "{choice:?}");
        };
        check(ColorChoice::Auto, true, false, true);
        check(ColorChoice::Auto, true, true, false);
        check(ColorChoice::Auto, false, false, false);
        // Who asks for colours in so many words gets them, in a pipe, too.
        check(ColorChoice::Always, false, true, true);
        check(ColorChoice::Never, true, false, false);
    }
}
