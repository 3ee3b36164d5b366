//! Pages of a chain, for those who may read it.

use auth::{
    audit::{AuditQuery, Deed, Detail, EVERYBODY, Entry, From, Record},
    store::{Answer, AuditStore},
};

use crate::{
    Store,
    auth_store::{read, write},
    connection::Connection,
    error::DbError,
    value::{Row, Value, params},
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
    // What lies beyond the head was not written by us: `verify` tells of it, and nobody is shown it.
    let wanted = "chain = $1 AND n > 0 AND n <= (SELECT head.n FROM audit_heads AS head WHERE head.chain = $1)";
    let mut search = Search { wanted: wanted.to_owned(), params };
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
    // Entries of before there was a column for it are read through.
    search.also_if(
        r#"(address = ? OR address IS NULL AND detail LIKE '%"from":{"address":"' || ? || '"%')"#,
        query.address.map(|address| address.to_string()),
    );
    search.also_if("at >= ?", query.since);
    search.also_if("at < ?", query.until);
    let Some(name) = &query.concerning else { return (of(&search.wanted, order), search.params) };
    let common = search.wanted.clone();
    search.also("actor = ?", name.as_str());
    let own = search.params.len();
    // Searches each along its index, rather than one that reads the whole chain.
    let (did, suffered) =
        (of(&search.wanted, order), of(&format!("{common} AND subject = ${own} AND {}", about_an_account()), order));
    let everybody = of(&format!("{common} AND subject = '{EVERYBODY}'"), order);
    let own = format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM ({did}) AS did UNION SELECT * FROM ({suffered}) AS suffered
        UNION SELECT * FROM ({everybody}) AS everybody) AS own ORDER BY {order} LIMIT $2"
    );
    (own, search.params)
}

/// The words are ours, so they need no parameters.
fn about_an_account() -> String {
    let others = Deed::ALL.iter().filter(|deed| !deed.is_about_an_account());
    format!("action NOT IN ({})", others.map(|deed| format!("'{deed}'")).collect::<Vec<_>>().join(", "))
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

/// How far a chain has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub chain: String,
    pub n: i64,
    pub hash: String,
}

impl Store {
    /// Of every chain that has an entry.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn audit_heads(&self) -> Answer<Vec<Head>> {
        self.read((), |db, ()| Box::pin(async move { Ok(heads(db).await?) })).await
    }

    /// The hash of an entry, as it stands now.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn audit_hash(&self, chain: &str, n: i64) -> Answer<Option<String>> {
        read!(self, (chain.to_owned(), n), hash)
    }
}

async fn heads(db: &mut Connection) -> Result<Vec<Head>, DbError> {
    let rows = db.query("SELECT chain, n, hash FROM audit_heads WHERE n > 0 ORDER BY chain", &[]).await?;
    rows.into_iter().map(|mut row| Ok(Head { chain: row.text()?, n: row.int()?, hash: row.text()? })).collect()
}

async fn hash(db: &mut Connection, (chain, n): &(String, i64)) -> Result<Option<String>, DbError> {
    let row = db.find("SELECT hash FROM audit WHERE chain = $1 AND n = $2", params![chain.as_str(), *n]).await?;
    row.map(|mut row| row.text()).transpose()
}
