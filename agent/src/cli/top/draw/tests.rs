//! Frames as a terminal shows them.

use std::time::Duration;

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier, Style};

use super::super::columns::Column;
use super::super::fixture::{START_MS, node};
use super::super::source::About;
use super::super::theme::Theme;
use super::super::view::View;
use super::{clip, draw, shown_columns};

const WIDE: u16 = 160;

fn view() -> View {
    let about = About {
        meter: "landlord 0.1.0".to_owned(),
        host: "node-7".to_owned(),
        kernel: "6.1.0-18-amd64".to_owned(),
    };
    View::new(about, Duration::from_secs(1), Column::Cpu, false)
}

/// A view that has sampled every second for so long.
fn sampled(seconds: u32) -> View {
    let mut view = view();
    for second in 0..=seconds {
        view.on_sample(Ok(node(f64::from(second))));
    }
    view
}

fn press(view: &mut View, keys: &[KeyCode], width: u16) {
    for &code in keys {
        view.on_key(KeyEvent::new(code, KeyModifiers::NONE), &shown_columns(width));
    }
}

fn terminal(view: &mut View, width: u16, height: u16, theme: Theme) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let newest = view.after.as_ref().map_or(START_MS, |after| after.read_at_unix_ms);
    terminal.draw(|frame| draw(frame, view, theme, newest + 400)).unwrap();
    terminal
}

/// The screen's text, without the blanks at the ends of lines.
fn screen(view: &mut View, width: u16, height: u16) -> String {
    let terminal = terminal(view, width, height, Theme::new(true));
    let lines: Vec<String> = (0..height)
        .map(|y| {
            let line: String =
                (0..width).map(|x| terminal.backend().buffer()[(x, y)].symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

#[test]
fn narrow() {
    assert_snapshot!(screen(&mut sampled(3), 80, 24), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    batch-night       5.08  0.98 shop-eu       7%  6.3 GiB      0 B      0 B     909
    shop-eu           1.20  1.44 batch-night  92%  1.8 GiB 12.3 MiB 89.3 MiB    250k
    docker-3f9a1c2b…  0.50  0.04 batch-night  74%  488 MiB  1.2 KiB    981 B   31.0k
    pod-0b1c7a44-5d…  0.13  0.02 shop-eu     100%  212 MiB  128 KiB  1.3 MiB    4.4k
    host              0.04  0.00 batch-night 100%        -     96 B      0 B       0
    system            0.01  0.00 -                 141 MiB      0 B      0 B      40
    user              0.00  0.00 -                77.0 MiB      0 B      0 B       4
    unknown           0.00  0.00 -                       -      0 B      0 B       0












    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn wide() {
    assert_snapshot!(screen(&mut sampled(70), WIDE, 40), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64                                                                                    8 tenants  lost 0  read 0.4s ago
    cpu 5.90  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT                     CPU▼   LIM%  CPU HISTORY                      WAIT  NEIGHBOUR               MEMORY      IN/s     OUT/s  CALLS/s    READ/s   WRITE/s
    batch-night                4.01      -  ▃▄▄▄▅▅▅▆▆▆▆▆▆▅▅▅▄▄▄▃▃▃▃▃▃▃▃▄▄▅   0.97  shop-eu           7%   6.3 GiB       0 B       0 B      909       0 B  48.0 MiB
    shop-eu                    1.20      -  ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅   1.44  batch-night      92%   1.8 GiB  12.3 MiB  89.3 MiB     250k   3.0 MiB   117 KiB
    docker-3f9a1c2b7d4e        0.50   100%  ██████████████████████████████   0.04  batch-night      74%   488 MiB   1.2 KiB     981 B    31.0k       0 B       0 B
    pod-0b1c7a44-5d0e-4c56-…   0.13     6%  ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅   0.02  shop-eu         100%   212 MiB   128 KiB   1.3 MiB     4.4k       0 B       0 B
    host                       0.04      -  ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃   0.00  batch-night     100%         -      96 B       0 B        0       0 B       0 B
    system                     0.01      -  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   0.00  -                      141 MiB       0 B       0 B       40       0 B       0 B
    user                       0.00      -  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   0.00  -                     77.0 MiB       0 B       0 B        4       0 B       0 B
    unknown                    0.00      -  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   0.00  -                            -       0 B       0 B        0       0 B       0 B




























    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn detail() {
    let mut view = sampled(3);
    press(&mut view, &[KeyCode::Down, KeyCode::Down, KeyCode::Enter], 80);
    assert_snapshot!(screen(&mut view, 80, 24), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    batch-night       5.08  0.98 shop-eu       7%  6.3 GiB      0 B      0 B     909
    shop-eu           1.20  1.44 batch-night  92%  1.8 GiB 12.3 MiB 89.3 MiB    250k
    docker-3f9a1c2b…  0.50  0.04 batch-night  74%  488 MiB  1.2 KiB    981 B   31.0k
    pod-0b1c7a44-5d…  0.13  0.02 shop-eu     100%  212 MiB  128 KiB  1.3 MiB    4.4k
    host              0.04  0.00 batch-night 100%        -     96 B      0 B       0
    system            0.01  0.00 -                 141 MiB      0 B      0 B      40
    user              0.00  0.00 -                77.0 MiB      0 B      0 B       4
    unknown           0.00  0.00 -                       -      0 B      0 B       0
     shop-eu ─────────────────────────────────────────────────────────── Esc closes
    SYSTEM CALL      /s total  WAITED FOR       s/s       BYTES      in/s     out/s
    read          88.1k  264k  batch-night     1.32  92%  IPv4   12.0 MiB  87.0 MiB
    write         88.0k  264k  itself          0.10   7%  IPv6    303 KiB   2.3 MiB
    epoll_wait    41.2k  124k  host            0.02   1%  disk    3.0 MiB   117 KiB
    futex         30.4k 91.2k                             memory            1.8 GiB
    accept4        1.2k  3.6k                             memory peak       2.3 GiB
    close          1.2k  3.6k                             memory limit            -
    clock_nanosl…    12    36                             CPU limit               -
    openat            3     9                             throttled            0.0s
                                                          cgroups                 1
                                                          OOM kills               0
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn wide_detail() {
    let mut view = sampled(3);
    press(&mut view, &[KeyCode::Enter], WIDE);
    assert_snapshot!(screen(&mut view, WIDE, 30), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64                                                                                    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT                     CPU▼   LIM%  CPU HISTORY                      WAIT  NEIGHBOUR               MEMORY      IN/s     OUT/s  CALLS/s    READ/s   WRITE/s
    batch-night                5.08      -                             ▆▆▆   0.98  shop-eu           7%   6.3 GiB       0 B       0 B      909       0 B  48.0 MiB
    shop-eu                    1.20      -                             ▅▅▅   1.44  batch-night      92%   1.8 GiB  12.3 MiB  89.3 MiB     250k   3.0 MiB   117 KiB
    docker-3f9a1c2b7d4e        0.50   100%                             ███   0.04  batch-night      74%   488 MiB   1.2 KiB     981 B    31.0k       0 B       0 B
    pod-0b1c7a44-5d0e-4c56-…   0.13     6%                             ▅▅▅   0.02  shop-eu         100%   212 MiB   128 KiB   1.3 MiB     4.4k       0 B       0 B
    host                       0.04      -                             ▃▃▃   0.00  batch-night     100%         -      96 B       0 B        0       0 B       0 B
    system                     0.01      -                             ▁▁▁   0.00  -                      141 MiB       0 B       0 B       40       0 B       0 B
    user                       0.00      -                             ▁▁▁   0.00  -                     77.0 MiB       0 B       0 B        4       0 B       0 B
    unknown                    0.00      -                             ▁▁▁   0.00  -                            -       0 B       0 B        0       0 B       0 B





     batch-night ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────── Esc closes
    SYSTEM CALL                         /s total  WAITED FOR                          s/s       BYTES      in/s     out/s
    futex                              812  2.4k  itself                             0.91  93%  IPv4        0 B       0 B
    sched_yield                         97   291  shop-eu                            0.06   7%  IPv6        0 B       0 B
                                                                                                disk        0 B  48.0 MiB
                                                                                                memory            6.3 GiB
                                                                                                memory peak       7.8 GiB
                                                                                                memory limit            -
                                                                                                CPU limit               -
                                                                                                throttled            0.0s
                                                                                                cgroups                 1
                                                                                                OOM kills               0

    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn help() {
    let mut view = sampled(3);
    press(&mut view, &[KeyCode::Char('?')], 80);
    assert_snapshot!(screen(&mut view, 80, 24), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cp┌ Keys and columns ────────────────────────────────────────────────────────┐/s
    TE│ q, Ctrl-C      quit                                                      │/s
    ba│ ← →            sort by the column beside                                 │09
    sh│ r              reverse the order                                         │0k
    do│ ↑ ↓ PgUp PgDn  choose a tenant                                           │0k
    po│ Enter          open or close its details                                 │4k
    ho│ /              show only names that hold a text                          │ 0
    sy│ p, Space       pause and go on                                           │40
    us│ + -            sample less or more often                                 │ 4
    un│ Esc            close what was opened last, or quit                       │ 0
      │                                                                          │
      │ t   TENANT     who owns the cgroups; `host` is what runs outside any     │
      │ c l CPU LIM%   cores in use; their part of the tenant's limit            │
      │ w   WAIT       seconds a second that its threads waited for a CPU        │
      │ n   NEIGHBOUR  who ran meanwhile most, and its share of the waiting      │
      │ h   THROT      seconds a second held back by its CPU limit               │
      │ m   MEMORY     in use now                                                │
      │ i o IN OUT     bytes of IP packets received and sent a second            │
      │ s   CALLS      system calls a second                                     │
      │ d b READ WRITE bytes from and to disks a second                          │
      │ CPU HISTORY has a scale per line. 1 KiB is 1024 bytes. Any key closes.   │
      └──────────────────────────────────────────────────────────────────────────┘
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn before_the_first_sample() {
    assert_snapshot!(screen(&mut view(), 80, 6), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64

    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    Waiting for the first sample.

    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn one_sample_has_no_rates() {
    assert_snapshot!(screen(&mut sampled(0), 80, 8), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago

    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    batch-night          -     - -                 6.3 GiB        -        -       -
    docker-3f9a1c2b…     -     - -                 488 MiB        -        -       -
    host                 -     - -                       -        -        -       -
    pod-0b1c7a44-5d…     -     - -                 212 MiB        -        -       -
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn filtered_while_typing() {
    let mut view = sampled(3);
    let keys = ['/', 's', 'h', 'o'].map(KeyCode::Char);
    press(&mut view, &keys, 80);
    assert_snapshot!(screen(&mut view, 80, 6), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    shop-eu           1.20  1.44 batch-night  92%  1.8 GiB 12.3 MiB 89.3 MiB    250k

    filter: sho▏  Enter keeps it, Esc drops it
    ");
    press(&mut view, &[KeyCode::Char('x'), KeyCode::Enter], 80);
    assert_snapshot!(screen(&mut view, 80, 6), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    No tenant's name holds “shox”. Esc drops the filter.

    filter: shox  q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause
    ");
}

#[test]
fn losses_trouble_and_age_are_told() {
    let mut view = sampled(3);
    let mut lossy = node(9.0);
    lossy.agent.lost_total =
        [("slots_exhausted".to_owned(), 1_200), ("birth_unseen".to_owned(), 3)].into();
    view.on_sample(Ok(lossy));
    assert_snapshot!(screen(&mut view, 80, 4), @"
    landlord 0.1.0  node-7     8 tenants  lost 1.2k (slots_exhausted)  read 0.4s ago
    cpu 5.85  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
    view.on_sample(Err("no agent answers at 127.0.0.1:9464: connection refused".to_owned()));
    press(&mut view, &[KeyCode::Char('p')], 80);
    assert_snapshot!(screen(&mut view, 80, 4), @"
    landlord 0.1.0  node-7     8 tenants  lost 1.2k (slots_exhausted)  read 0.4s ago
    PAUSED  no agent answers at 127.0.0.1:9464: connection refused
    TENANT            CPU▼  WAIT NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p go on  +- 1s  ? help
    ");
}

#[test]
fn sorted_by_the_column_beside() {
    let mut view = sampled(3);
    press(&mut view, &[KeyCode::Right, KeyCode::Char('r')], 80);
    assert_snapshot!(screen(&mut view, 80, 6), @"
    landlord 0.1.0  node-7  Linux 6.1.0-18-amd64    8 tenants  lost 0  read 0.4s ago
    cpu 6.97  wait 2.48  memory 9.0 GiB  in 12.4 MiB/s  out 90.6 MiB/s  calls 287k/s
    TENANT             CPU WAIT▲ NEIGHBOUR          MEMORY     IN/s    OUT/s CALLS/s
    user              0.00  0.00 -                77.0 MiB      0 B      0 B       4
    unknown           0.00  0.00 -                       -      0 B      0 B       0
    q quit  ←→ sort  r reverse  / filter  ↑↓ Enter detail  p pause  +- 1s  ? help
    ");
}

#[test]
fn very_small_terminals_do_not_panic() {
    for (width, height) in [(1, 1), (10, 3), (23, 2), (30, 15), (200, 1)] {
        let mut view = sampled(3);
        press(&mut view, &[KeyCode::Enter], width);
        screen(&mut view, width, height);
        press(&mut view, &[KeyCode::Char('?')], width);
        screen(&mut view, width, height);
    }
}

/// The style of the first cell that shows this text.
fn style_of(text: &str, coloured: bool) -> Style {
    let mut view = sampled(3);
    let terminal = terminal(&mut view, 80, 24, Theme::new(coloured));
    let buffer = terminal.backend().buffer();
    for y in 0..24 {
        let line: Vec<&str> = (0..80).map(|x| buffer[(x, y)].symbol()).collect();
        if let Some(at) = line.concat().find(text) {
            let x = line.concat()[..at].chars().count();
            return buffer[(u16::try_from(x).unwrap(), y)].style();
        }
    }
    panic!("{text} is not on the screen");
}

#[test]
fn colours_weigh_figures_and_can_be_switched_off() {
    // Waits 1.44 s/s.
    assert_eq!(style_of("1.44", true).fg, Some(Color::Red));
    assert_eq!(style_of("1.44", false).fg, Some(Color::Reset));
    assert!(style_of("1.44", false).add_modifier.contains(Modifier::BOLD));
    // 488 MiB of 512.
    assert_eq!(style_of("488 MiB", true).fg, Some(Color::Red));
}

#[test]
fn clipped_names_keep_their_width() {
    let check = |name: &str, width: usize, expected: &str| assert_eq!(clip(name, width), expected);
    check("acme", 4, "acme");
    check("acmes", 4, "acm…");
    check("", 0, "");
    check("東京支店", 5, "東京…");
    check("東京支店", 4, "東…");
}
