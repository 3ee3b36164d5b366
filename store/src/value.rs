//! Parameters and columns of statements: 64-bit integers and text, the same on both databases.

use jiff::Timestamp;

use crate::error::DbError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(Some(number.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Value {
    /// PostgreSQL text cannot contain NUL. No name contains a control character, so the substitute
    /// matches nothing either.
    fn from(text: &str) -> Self {
        Self::Text(Some(if text.contains('\0') {
            text.replace('\0', "\u{1}")
        } else {
            text.to_owned()
        }))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        if text.contains('\0') {
            text.as_str().into()
        } else {
            Self::Text(Some(text))
        }
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

/// Microseconds since 1970.
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(Some(at.as_microsecond()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Int(at.map(Timestamp::as_microsecond))
    }
}

/// 0 or 1.
impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Int(Some(yes.into()))
    }
}

/// Parameters of a statement: `params![name, at, None::<&str>]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::value::Value::from($value)),*][..] };
}
pub(crate) use params;

/// `$1, $2, …`: placeholders for `count` parameters.
pub(crate) fn numbered(count: usize) -> String {
    (1..=count)
        .map(|n| format!("${n}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// One row, read column by column from the left, in the order of the statement.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, DbError> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(number),
            // SQLite does not know the type of a NULL.
            Some(Value::Text(None)) => Ok(None),
            other => Err(DbError::corrupt(format!(
                "expected a number, found {}",
                kind_of(other.as_ref())
            ))),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, DbError> {
        self.opt_int()?
            .ok_or_else(|| DbError::corrupt("expected a number, found NULL"))
    }

    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, DbError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Int(None)) => Ok(None),
            other => Err(DbError::corrupt(format!(
                "expected text, found {}",
                kind_of(other.as_ref())
            ))),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, DbError> {
        self.opt_text()?
            .ok_or_else(|| DbError::corrupt("expected text, found NULL"))
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, DbError> {
        Ok(self.int()? != 0)
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>, DbError> {
        self.opt_int()?
            .map(|at| {
                Timestamp::from_microsecond(at).map_err(|error| DbError::corrupt(error.to_string()))
            })
            .transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, DbError> {
        self.opt_time()?
            .ok_or_else(|| DbError::corrupt("expected a time, found NULL"))
    }
}

/// For messages: omits the value, which may be a secret.
fn kind_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "the end of the row",
        Some(Value::Int(_)) => "a number",
        Some(Value::Text(_)) => "text",
    }
}
