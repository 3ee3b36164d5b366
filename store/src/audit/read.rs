//! Pages of a chain, for those who may read it.

use auth::{
    audit::{AuditQuery, Detail, Entry, From, Record},
    store::{Answer, AuditStore},
};

use crate::{
    Store,
    auth_store::{read, write},
    connection::Connection,
    error::DbError,
    value::{Row, Value},
};

impl AuditStore for Store {
    async fn record(&self, record: Record) -> Answer<()> {
        write!(self, record, super::record)
    }

    async fn audit(&self, query: AuditQuery) -> Answer<Vec<Entry>> {
        read!(self, query, page)
    }
}

const COLUMNS: &str = "chain, n, prev_hash, hash, at, actor, action, subject, detail";

async fn page(db: &mut Connection, query: &AuditQuery) -> Result<Vec<Entry>, DbError> {
    let (sql, params) = select(query);
    db.query(&sql, &params).await?.into_iter().map(parse).collect()
}

/// What is wanted, in SQL, and its parameters.
struct Search {
    wanted: String,
    params: Vec<Value>,
}

impl Search {
    /// `?` stands for the value.
    fn also(&mut self, condition: &str, value: impl Into<Value>) {
        self.params.push(value.into());
        let condition = condition.replace('?', &format!("${}", self.params.len()));
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
    let mut search = Search { wanted: "chain = $1".to_owned(), params };
    let order = match query.from {
        From::Before(n) => {
            search.also("n < ?", n);
            "n DESC"
        }
        From::After(n) => {
            search.also("n > ?", n);
            "n"
        }
    };
    search.also_if("actor = ?", query.actor.as_deref());
    search.also_if("subject = ?", query.subject.as_deref());
    // The word itself or its beginning up to a dot: `/` is the character after the dot.
    search.also_if(
        "(action = ? OR action COLLATE \"C\" >= ? || '.' AND action COLLATE \"C\" < ? || '/')",
        query.action.as_deref(),
    );
    search.also_if("at >= ?", query.since);
    search.also_if("at < ?", query.until);
    let Some(name) = &query.concerning else { return (of(&search.wanted, order), search.params) };
    let common = search.wanted.clone();
    search.also("actor = ?", name.as_str());
    let own = search.params.len();
    // Two searches, each along its index, rather than one that reads the whole chain.
    let (did, suffered) = (of(&search.wanted, order), of(&format!("{common} AND subject = ${own}"), order));
    let both = format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM ({did}) AS did UNION SELECT * FROM ({suffered}) AS suffered) AS own
        ORDER BY {order} LIMIT $2"
    );
    (both, search.params)
}

fn of(wanted: &str, order: &str) -> String {
    format!("SELECT {COLUMNS} FROM audit WHERE {wanted} ORDER BY {order} LIMIT $2")
}

fn parse(mut row: Row) -> Result<Entry, DbError> {
    Ok(Entry {
        chain: row.text()?,
        n: row.int()?,
        prev_hash: row.text()?,
        hash: row.text()?,
        at: row.time()?,
        actor: row.text()?,
        action: row.text()?,
        subject: row.text()?,
        detail: Detail::stored(serde_json::from_str(&row.text()?).unwrap_or_default()),
    })
}
