//! Plain aligned columns, as scripts and people expect them from a command: no
//! lines around cells, titles in capitals, two spaces between.

use comfy_table::{CellAlignment, Table, TableStyle, presets};

/// Lays out rows of cells. `numeric` tells for each column whether its cells are
/// figures, which stand on the right.
pub(crate) fn aligned(
    titles: Option<&[&str]>,
    rows: impl IntoIterator<Item = Vec<String>>,
    numeric: &[bool],
) -> String {
    let mut table = Table::new();
    let style: TableStyle = presets::NOTHING;
    table.load_style(style).force_no_tty();
    if let Some(titles) = titles {
        table.set_header(titles.to_vec());
    }
    for row in rows {
        table.add_row(row);
    }
    for (column, &numeric) in table.column_iter_mut().zip(numeric) {
        column.set_padding((0, 2));
        if numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
