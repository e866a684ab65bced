//! Tables in Markdown.

/// Rows under a head; a cell may have several lines and any sign.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.map(|cell| one_line(&cell)).join(" | "));
    let mut text = line(head.map(str::to_owned)) + &line(head.map(|_| "---".to_owned()));
    text.extend(rows.into_iter().map(line));
    text
}

/// In the type of code.
pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
