//! Keys and samples, and what they leave on view.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::columns::Column;
use super::super::fixture::node;
use super::super::source::About;
use super::{Effect, HISTORY, Mode, View};

const SHOWN: [Column; 4] = [Column::Tenant, Column::Cpu, Column::History, Column::Wait];

fn view() -> View {
    let mut view = View::new(About::default(), Duration::from_secs(1), Column::Cpu, false);
    view.on_sample(Ok(node(0.0)));
    view.on_sample(Ok(node(1.0)));
    view
}

fn press(view: &mut View, code: KeyCode) -> Effect {
    view.on_key(KeyEvent::new(code, KeyModifiers::NONE), &SHOWN)
}

fn order(view: &View) -> Vec<&str> {
    view.rows.iter().map(|row| row.usage.tenant.as_str()).collect()
}

#[test]
fn ways_out() {
    let mut view = view();
    assert_eq!(press(&mut view, KeyCode::Char('q')), Effect::Quit);
    assert_eq!(press(&mut view, KeyCode::Esc), Effect::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(view.on_key(interrupt, &SHOWN), Effect::Quit);
    // Even while something else takes the keys.
    press(&mut view, KeyCode::Char('/'));
    assert_eq!(view.on_key(interrupt, &SHOWN), Effect::Quit);
}

#[test]
fn escape_closes_the_latest_first() {
    let mut view = view();
    press(&mut view, KeyCode::Char('/'));
    press(&mut view, KeyCode::Char('s'));
    press(&mut view, KeyCode::Enter);
    press(&mut view, KeyCode::Enter);
    assert!(view.detail);
    assert_eq!(press(&mut view, KeyCode::Esc), Effect::None);
    assert!(!view.detail);
    assert_eq!(press(&mut view, KeyCode::Esc), Effect::None);
    assert_eq!(view.filter, "");
    assert_eq!(press(&mut view, KeyCode::Esc), Effect::None);
    assert_eq!(view.selected, None);
    assert_eq!(press(&mut view, KeyCode::Esc), Effect::Quit);
}

#[test]
fn arrows_walk_over_the_columns_on_view() {
    let mut view = view();
    let mut check = |code: KeyCode, expected: Column| {
        press(&mut view, code);
        assert_eq!(view.sort, expected);
    };
    // The history sorts by nothing of its own.
    check(KeyCode::Right, Column::Wait);
    check(KeyCode::Right, Column::Wait);
    check(KeyCode::Left, Column::Cpu);
    check(KeyCode::Left, Column::Tenant);
    check(KeyCode::Left, Column::Tenant);
    // A column that is not on view sorts all the same.
    check(KeyCode::Char('m'), Column::Memory);
    check(KeyCode::Right, Column::Tenant);
}

#[test]
fn a_letter_sorts_and_sorts_the_other_way() {
    let mut view = view();
    assert_eq!(order(&view)[..2], ["batch-night", "shop-eu"]);
    press(&mut view, KeyCode::Char('w'));
    assert_eq!(order(&view)[..2], ["shop-eu", "batch-night"]);
    press(&mut view, KeyCode::Char('w'));
    assert!(view.reverse);
    press(&mut view, KeyCode::Char('r'));
    assert!(!view.reverse);
}

#[test]
fn filter() {
    let mut view = view();
    press(&mut view, KeyCode::Char('/'));
    for c in ['S', 'h', 'O', 'q'] {
        assert_eq!(press(&mut view, KeyCode::Char(c)), Effect::None);
    }
    assert!(order(&view).is_empty());
    press(&mut view, KeyCode::Backspace);
    press(&mut view, KeyCode::Enter);
    assert_eq!(order(&view), ["shop-eu"]);
    assert_eq!(view.mode, Mode::Table);
}

#[test]
fn the_cursor_follows_its_tenant() {
    let mut view = view();
    press(&mut view, KeyCode::Down);
    press(&mut view, KeyCode::Down);
    assert_eq!(view.selected.as_deref(), Some("shop-eu"));
    assert_eq!(view.scroll.selected(), Some(1));
    press(&mut view, KeyCode::Char('w'));
    assert_eq!(view.scroll.selected(), Some(0));
    press(&mut view, KeyCode::End);
    assert_eq!(view.scroll.selected(), Some(7));
    press(&mut view, KeyCode::PageUp);
    assert_eq!(view.scroll.selected(), Some(0));
}

#[test]
fn no_cursor_without_lines() {
    let mut view = View::new(About::default(), Duration::from_secs(1), Column::Cpu, false);
    for code in [KeyCode::Down, KeyCode::End, KeyCode::Enter] {
        press(&mut view, code);
    }
    assert_eq!((view.selected.as_deref(), view.detail), (None, false));
}

#[test]
fn intervals() {
    let mut view = view();
    let mut check = |key: char, expected: Effect| {
        assert_eq!(press(&mut view, KeyCode::Char(key)), expected);
    };
    check('+', Effect::Interval(Duration::from_secs(2)));
    check('-', Effect::Interval(Duration::from_secs(1)));
    check('-', Effect::Interval(Duration::from_millis(500)));
    check('-', Effect::Interval(Duration::from_millis(250)));
    check('-', Effect::None);
}

#[test]
fn a_pause_ignores_samples() {
    let mut view = view();
    press(&mut view, KeyCode::Char('p'));
    view.on_sample(Ok(node(2.0)));
    assert_eq!(view.after.as_ref().unwrap().read_at_unix_ms, node(1.0).read_at_unix_ms);
    press(&mut view, KeyCode::Char('p'));
    view.on_sample(Ok(node(3.0)));
    // What happened in the pause is in the next rates.
    assert_eq!(view.rows[0].rates.as_ref().unwrap().window_seconds, 2.0);
}

#[test]
fn histories_are_bounded_and_end_with_their_tenant() {
    let mut view = view();
    for second in 2..100 {
        view.on_sample(Ok(node(f64::from(second))));
    }
    assert_eq!(view.history["shop-eu"].len(), HISTORY);
    let mut without = node(100.0);
    without.tenants.retain(|usage| usage.tenant != "shop-eu");
    view.on_sample(Ok(without));
    assert!(!view.history.contains_key("shop-eu"));
}

#[test]
fn the_same_reading_again_changes_nothing() {
    let mut view = view();
    view.on_sample(Ok(node(1.0)));
    assert!(view.rows[0].rates.is_some());
    assert_eq!(view.history["shop-eu"].len(), 1);
}

#[test]
fn trouble_lasts_until_the_next_sample() {
    let mut view = view();
    view.on_sample(Err("refused".to_owned()));
    assert_eq!(view.trouble.as_deref(), Some("refused"));
    assert!(!view.rows.is_empty());
    view.on_sample(Ok(node(2.0)));
    assert_eq!(view.trouble, None);
}
