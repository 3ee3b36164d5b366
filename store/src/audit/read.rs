//! Pages of a chain. The policy decides which callers may read them.

use auth::{
    audit::{
        ALL_ACCOUNTS, AuditAction, AuditCursor, AuditDetail, AuditEntry, AuditQuery, NewAuditEntry,
    },
    store::{AuditStore, StoreResult},
};

use crate::{
    Store,
    connection::Connection,
    error::DbError,
    transaction::{read_tx, write_tx},
    value::{Row, Value, params},
};

impl AuditStore for Store {
    async fn record(&self, record: NewAuditEntry) -> StoreResult<()> {
        write_tx!(self, record, super::record)
    }

    async fn audit(&self, query: AuditQuery) -> StoreResult<Vec<AuditEntry>> {
        read_tx!(self, query, page)
    }
}

const COLUMNS: &str = "chain, n, prev_hash, hash, at, actor, action, subject, detail";

async fn page(db: &mut Connection, query: &AuditQuery) -> Result<Vec<AuditEntry>, DbError> {
    let (sql, params) = select(query);
    db.query(&sql, &params)
        .await?
        .into_iter()
        .map(parse)
        .collect()
}

/// The conditions in SQL, and their parameters.
struct Search {
    wanted: String,
    params: Vec<Value>,
}

impl Search {
    /// Adds a parameter and returns its placeholder.
    fn name(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// `?` is the placeholder of the value.
    fn also(&mut self, condition: &str, value: impl Into<Value>) {
        let condition = condition.replace('?', &self.name(value));
        self.wanted = format!("{} AND {condition}", self.wanted);
    }

    fn also_if(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.also(condition, value);
        }
    }
}

/// The statement, and its parameters in order.
fn select(query: &AuditQuery) -> (String, Vec<Value>) {
    let params = vec![Value::from(query.chain.key()), Value::from(query.limit)];
    // Entries beyond the head were not written by this program: `verify` reports them, and no page
    // lists them. The `+` keeps these bounds, which cover the whole chain, from choosing the index.
    let wanted = "chain = $1 AND +n > 0 AND +n <= (SELECT head.n FROM audit_heads AS head WHERE head.chain = $1)";
    let mut search = Search {
        wanted: wanted.to_owned(),
        params,
    };
    let order = match query.cursor {
        AuditCursor::Before(n) => {
            search.also("n < ?", n);
            "n DESC"
        }
        AuditCursor::After(n) => {
            search.also("n > ?", n);
            "n"
        }
    };
    search.also_if("actor = ?", query.actor.as_deref());
    search.also_if("subject = ?", query.subject.as_deref());
    // Matches the word itself, or its part before a dot: `/` is the character after the dot.
    search.also_if(
        "(action = ? OR action COLLATE \"C\" >= ? || '.' AND action COLLATE \"C\" < ? || '/')",
        query.action.as_deref(),
    );
    search.also_if("at >= ?", query.since);
    search.also_if("at < ?", query.until);
    let ways = index_branches(&mut search, query);
    (union(&search.wanted, &ways, order), search.params)
}

/// Alternative conditions, each a range of one index. `OR` would read the whole chain.
fn index_branches(search: &mut Search, query: &AuditQuery) -> Vec<String> {
    let whose = match &query.involving {
        None => vec![String::new()],
        Some(name) => {
            let name = search.name(name.as_str());
            vec![
                format!(" AND actor = {name}"),
                format!(" AND subject = {name} AND {}", account_condition()),
                format!(" AND subject = '{ALL_ACCOUNTS}'"),
            ]
        }
    };
    let Some(address) = query.address else {
        return whose;
    };
    let address = search.name(address.to_string());
    let here = format!(" AND address = {address}");
    // Entries from before the column existed.
    let before = format!(
        r#" AND address IS NULL AND detail LIKE '%"from":{{"address":"' || {address} || '"%'"#
    );
    whose
        .iter()
        .flat_map(|whose| [format!("{whose}{here}"), format!("{whose}{before}")])
        .collect()
}

fn union(wanted: &str, ways: &[String], order: &str) -> String {
    let each = |way: &String| {
        format!("SELECT {COLUMNS} FROM audit WHERE {wanted}{way} ORDER BY {order} LIMIT $2")
    };
    if let [one] = ways {
        return each(one);
    }
    let all: Vec<String> = ways
        .iter()
        .map(|way| format!("SELECT * FROM ({}) AS way", each(way)))
        .collect();
    format!(
        "SELECT {COLUMNS} FROM ({}) AS found ORDER BY {order} LIMIT $2",
        all.join(" UNION ")
    )
}

/// The words are constants of this program, so they need no parameters.
fn account_condition() -> String {
    let others = AuditAction::ALL
        .iter()
        .filter(|action| !action.concerns_account());
    format!(
        "action NOT IN ({})",
        others
            .map(|action| format!("'{action}'"))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn parse(mut row: Row) -> Result<AuditEntry, DbError> {
    Ok(AuditEntry {
        chain: row.text()?,
        seq: row.int()?,
        prev_hash: row.text()?,
        hash: row.text()?,
        at: row.time()?,
        actor: row.text()?,
        action: row.text()?,
        subject: row.text()?,
        detail: AuditDetail::from_json(serde_json::from_str(&row.text()?).unwrap_or_default()),
    })
}

/// The newest entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    pub chain: String,
    pub n: i64,
    pub hash: String,
}

impl Store {
    /// The heads of all chains that have an entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn audit_heads(&self) -> StoreResult<Vec<ChainHead>> {
        self.read((), |db, ()| Box::pin(async move { Ok(heads(db).await?) }))
            .await
    }

    /// The current hash of an entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn audit_hash(&self, chain: &str, n: i64) -> StoreResult<Option<String>> {
        read_tx!(self, (chain.to_owned(), n), hash)
    }
}

async fn heads(db: &mut Connection) -> Result<Vec<ChainHead>, DbError> {
    let rows = db
        .query(
            "SELECT chain, n, hash FROM audit_heads WHERE n > 0 ORDER BY chain",
            &[],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(ChainHead {
                chain: row.text()?,
                n: row.int()?,
                hash: row.text()?,
            })
        })
        .collect()
}

async fn hash(db: &mut Connection, (chain, n): &(String, i64)) -> Result<Option<String>, DbError> {
    let row = db
        .find(
            "SELECT hash FROM audit WHERE chain = $1 AND n = $2",
            params![chain.as_str(), *n],
        )
        .await?;
    row.map(|mut row| row.text()).transpose()
}

#[cfg(test)]
mod tests {
    use auth::{Username, audit::Chain};

    use super::*;
    use crate::connection::for_sqlite;

    /// SQLite's query plan for a chain without statistics.
    fn plan(query: &AuditQuery) -> Vec<String> {
        let sqlite = rusqlite::Connection::open_in_memory().unwrap();
        for migration in [
            include_str!("../../migrations/0001_the_first_tables.sql"),
            include_str!("../../migrations/0006_places_and_the_audit_is_searched.sql"),
            include_str!("../../migrations/0014_reminders_and_the_audit_by_address.sql"),
        ] {
            sqlite.execute_batch(&for_sqlite(migration)).unwrap();
        }
        let (sql, params) = select(query);
        let mut explain = sqlite
            .prepare(&format!("EXPLAIN QUERY PLAN {}", for_sqlite(&sql)))
            .unwrap();
        let steps = explain
            .query_map(rusqlite::params_from_iter(params), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        steps
            .map(Result::unwrap)
            .filter(|step| step.contains(" audit "))
            .collect()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of queries")]
    fn audit_queries_use_an_index() {
        let ada = || Some("ada".to_owned());
        let newest = AuditQuery::newest(Chain::Accounts, 100);
        let address = Some([192, 0, 2, 7].into());
        let concerning = Some(Username::parse("ada").unwrap());
        let queries = [
            (
                AuditQuery {
                    actor: ada(),
                    ..newest.clone()
                },
                vec!["audit_actors (chain=? AND actor=? AND n<?)"],
            ),
            (
                AuditQuery {
                    actor: ada(),
                    cursor: AuditCursor::After(7),
                    ..newest.clone()
                },
                vec!["audit_actors (chain=? AND actor=? AND n>?)"],
            ),
            (
                AuditQuery {
                    subject: ada(),
                    ..newest.clone()
                },
                vec!["audit_subjects (chain=? AND subject=? AND n<?)"],
            ),
            (
                AuditQuery {
                    address,
                    ..newest.clone()
                },
                vec!["audit_addresses (chain=? AND address=? AND n<?)"; 2],
            ),
            (
                AuditQuery {
                    involving: concerning.clone(),
                    ..newest.clone()
                },
                vec![
                    "audit_actors (chain=? AND actor=? AND n<?)",
                    "audit_subjects (chain=? AND subject=? AND n<?)",
                    "audit_subjects (chain=? AND subject=? AND n<?)",
                ],
            ),
        ];
        for (query, expected) in queries {
            let expected: Vec<String> = expected
                .into_iter()
                .map(|index| format!("SEARCH audit USING INDEX {index}"))
                .collect();
            assert_eq!(plan(&query), expected, "{query:?}");
        }
        // An account at one address: six branches, each a range of an index.
        let both = plan(&AuditQuery {
            involving: concerning,
            address,
            ..newest
        });
        assert!(
            both.len() == 6
                && both
                    .iter()
                    .all(|step| step.starts_with("SEARCH audit USING INDEX audit_")),
            "{both:?}"
        );
    }
}
