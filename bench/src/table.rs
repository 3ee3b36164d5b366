//! The resulting table: one row for each target.

use std::fmt::Write as _;

use crate::progress;

/// The target of a number: a minimum, or an upper limit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Threshold {
    AtLeast(f64),
    Under(f64),
}

impl Threshold {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(minimum) => value >= minimum,
            Self::Under(limit) => value < limit,
        }
    }
}

#[derive(Debug)]
pub(crate) struct ResultRow {
    pub(crate) label: String,
    pub(crate) strongroom: String,
    /// The compared result; empty if the target is absolute.
    pub(crate) compared_with: String,
    /// The number that is compared with the target, and its unit: `"×"`, `" ms"`, `" MiB"`.
    pub(crate) result: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Threshold,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<ResultRow>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn add(&mut self, row: ResultRow) {
        progress::report(&markdown_line(&row));
        self.rows.push(row);
    }

    /// Adds a row, unless there was nothing to compare with.
    pub(crate) fn extend(&mut self, row: Option<ResultRow>) {
        if let Some(row) = row {
            self.add(row);
        }
    }

    /// A sentence under the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn markdown(&self, machine: &str) -> String {
        let mut text = format!("{machine}\n\n");
        text.push_str(
            "| work | Strongroom | beside | result | target | |\n|---|---|---|--:|--:|---|\n",
        );
        for row in &self.rows {
            let _ = writeln!(text, "{}", markdown_line(row));
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

fn markdown_line(row: &ResultRow) -> String {
    let target = match row.target {
        Threshold::AtLeast(minimum) => format!("≥ {minimum}{}", row.unit),
        Threshold::Under(limit) => format!("< {limit}{}", row.unit),
    };
    let outcome = if row.target.is_met_by(row.result) {
        "met"
    } else {
        "**missed**"
    };
    let result = format!("{}{}", format_short(row.result), row.unit);
    format!(
        "| {} | {} | {} | {result} | {target} | {outcome} |",
        row.label, row.strongroom, row.compared_with
    )
}

/// Three significant digits, the precision of the measurement.
pub(crate) fn format_short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
