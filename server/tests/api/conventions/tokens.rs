//! Rust source as tokens: enough to separate identifiers from strings and comments. No parser.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Identifier,
    Lifetime,
    /// A string, a character or a number.
    Literal,
    Comment,
    /// One character, or `::`.
    Symbol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) line: usize,
}

impl Token<'_> {
    /// Whether it is this keyword, name or symbol. A string with this content is not.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Identifier | Kind::Symbol) && self.text == text
    }
}

pub(super) fn tokenize(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else {
            let (kind, length) = first_token(rest, first);
            let text = &rest[..length];
            tokens.push(Token { kind, text, line });
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The kind and length of the first token.
fn first_token(rest: &str, first: char) -> (Kind, usize) {
    if rest.starts_with("//") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Kind::Comment, block_comment(rest))
    } else if let Some(length) = raw_string(rest)
        .or_else(|| string(rest))
        .or_else(|| character(rest))
    {
        (Kind::Literal, length)
    } else if first == '\'' {
        (Kind::Lifetime, 1 + word(&rest[1..]))
    } else if first.is_ascii_digit() {
        (Kind::Literal, word(rest))
    } else if let Some(name) = rest.strip_prefix("r#").filter(|name| word(name) > 0) {
        (Kind::Identifier, 2 + word(name))
    } else if word(rest) > 0 {
        (Kind::Identifier, word(rest))
    } else if rest.starts_with("::") {
        (Kind::Symbol, 2)
    } else {
        (Kind::Symbol, first.len_utf8())
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(found) = rest[at..]
        .find("/*")
        .into_iter()
        .chain(rest[at..].find("*/"))
        .min()
    {
        at += found;
        depth = if rest[at..].starts_with("/*") {
            depth + 1
        } else {
            depth - 1
        };
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let marked = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('r')?;
    let body = marked.trim_start_matches('#');
    let closing = format!("\"{}", "#".repeat(marked.len() - body.len()));
    let body = body.strip_prefix('"')?;
    let end = body.find(&closing)? + closing.len();
    Some(rest.len() - body.len() + end)
}

fn string(rest: &str) -> Option<usize> {
    let body = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('"')?;
    let mut is_escaped = false;
    let end = body.find(|c: char| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(rest.len() - body.len() + end + 1)
}

/// `None` for a lifetime, which has no closing quote.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('\'')?;
    let end = match body.chars().next()? {
        '\\' => body.get(2..)?.find('\'')? + 2,
        first => first.len_utf8(),
    };
    let is_closed = body[end..].starts_with('\'');
    is_closed.then(|| rest.len() - body.len() + end + 1)
}

/// The tokens without comments, and without items under `#[cfg(test)]` or `#[test]`.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let code: Vec<Token<'a>> = tokens
        .iter()
        .copied()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    let mut remaining = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let attribute = attribute_end(&code[at..]).map(|length| &code[at..at + length]);
        let length = attribute.map_or(1, <[Token]>::len);
        if attribute.is_some_and(is_for_tests) {
            at += length + item_end(&code[at + length..]);
        } else {
            remaining.extend_from_slice(&code[at..at + length]);
            at += length;
        }
    }
    remaining
}

/// The length of the attribute `#[…]` at the start.
fn attribute_end(tokens: &[Token]) -> Option<usize> {
    let is_attribute = tokens.first()?.is("#") && tokens.get(1)?.is("[");
    is_attribute.then(|| 1 + group_end(&tokens[1..]))
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let text: String = attribute.iter().map(|token| token.text).collect();
    ["#[test]", "#[tokio::test", "#[cfg(test)", "#[cfg(all(test,"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The length of the group in brackets at the start.
pub(super) fn group_end(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        depth += i32::from(is_opening(token)) - i32::from(is_closing(token));
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The length of the item, field or arm at the start: up to a body's end, a semicolon, a comma, or the end of the
/// group around it.
fn item_end(tokens: &[Token]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            let end = at + group_end(&tokens[at..]);
            let is_followed = tokens.get(end).is_some_and(|token| token.is(";"));
            return end + usize::from(is_followed);
        } else if is_opening(token) {
            at += group_end(&tokens[at..]);
        } else if token.is(";") || token.is(",") {
            return at + 1;
        } else if is_closing(token) {
            return at;
        } else {
            at += 1;
        }
    }
    at
}

fn is_opening(token: &Token) -> bool {
    ["(", "[", "{"].iter().any(|symbol| token.is(symbol))
}

fn is_closing(token: &Token) -> bool {
    [")", "]", "}"].iter().any(|symbol| token.is(symbol))
}

/// The words of a name, in lowercase: `HttpServer_2` has `http`, `server` and `2`.
pub(super) fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut words = vec![String::new()];
    for (index, character) in characters.iter().enumerate() {
        let previous = index
            .checked_sub(1)
            .and_then(|before| characters.get(before));
        let ends_word = previous.is_some_and(|c| c.is_lowercase() || c.is_numeric());
        let starts_word = characters.get(index + 1).is_some_and(|c| c.is_lowercase());
        if *character == '_' || character.is_uppercase() && (ends_word || starts_word) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| *character != '_') {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifiers(source: &str) -> Vec<&str> {
        let tokens = tokenize(source).into_iter();
        tokens
            .filter(|token| token.kind == Kind::Identifier)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn strings_and_comments_contain_no_identifiers() {
        let source = r###"
            let a = "no \" no"; // no 'no' "no
            let b = r#"no " no"#; /* no /* no */ "no */
            let c = br##"no "# no"##; let d = b"no"; let e = c"no\\";
            /// no
            let f = ['"', '\'', '\\', 'n', b'n', '\u{6e}', 'é'];
            fn g<'h>(i: &'h str) -> r#type { 0x6e_u8 }
        "###;
        let expected = [
            "let", "a", "let", "b", "let", "c", "let", "d", "let", "e", "let", "f", "fn", "g", "i",
            "str", "r#type",
        ];
        assert_eq!(identifiers(source), expected);
    }

    #[test]
    fn every_character_of_source_belongs_to_one_token() {
        let source = "fn a() {\n  b::c(\"d\ne\", 'f') // g\n}";
        let tokens = tokenize(source);
        let text: String = tokens.iter().map(|token| token.text).collect();
        assert_eq!(text, "fna(){b::c(\"d\ne\",'f')// g}");
        let lines: Vec<usize> = tokens.iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4]);
    }

    #[test]
    fn items_for_tests_are_removed() {
        let source =
            "use a; #[cfg(test)] mod b; #[derive(C)] struct D { #[cfg(test)] e: F<G>, h: I }
            #[test] fn j() { k(); } #[cfg(all(test, unix))] use l::{m, n}; #[cfg(unix)] fn o() {}";
        let tokens = tokenize(source);
        let code: Vec<&str> = without_tests(&tokens)
            .iter()
            .map(|token| token.text)
            .collect();
        assert_eq!(
            code.concat(),
            "usea;#[derive(C)]structD{h:I}#[cfg(unix)]fno(){}"
        );
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words("HTTPServer_v2"), ["http", "server", "v2"]);
        assert_eq!(words("half_way"), ["half", "way"]);
        assert_eq!(words("HalfWay"), ["half", "way"]);
        assert_eq!(words("MAX_BYTES"), ["max", "bytes"]);
        assert_eq!(words("r#type"), ["type"]);
    }
}
