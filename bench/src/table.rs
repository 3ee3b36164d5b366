//! The resulting table: one row for each target.

use std::fmt::Write as _;

/// The target of a number: a minimum, or an upper limit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    Under(f64),
}

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::Under(limit) => value < limit,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) strongroom: String,
    /// The compared result; empty if the target is absolute.
    pub(crate) beside: String,
    /// The number that is compared with the target, and its unit: `"×"`, `" ms"`, `" MiB"`.
    pub(crate) result: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        crate::rows::say(&line(&row));
        self.rows.push(row);
    }

    /// Adds a row, unless there was nothing to compare with.
    pub(crate) fn extend(&mut self, row: Option<Row>) {
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
            let _ = writeln!(text, "{}", line(row));
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

fn line(row: &Row) -> String {
    let target = match row.target {
        Target::AtLeast(least) => format!("≥ {least}{}", row.unit),
        Target::Under(limit) => format!("< {limit}{}", row.unit),
    };
    let verdict = if row.target.is_met_by(row.result) {
        "met"
    } else {
        "**missed**"
    };
    let result = format!("{}{}", short(row.result), row.unit);
    format!(
        "| {} | {} | {} | {result} | {target} | {verdict} |",
        row.work, row.strongroom, row.beside
    )
}

/// Three significant digits, the precision of the measurement.
pub(crate) fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
