//! The modules of a crate and which uses which, from `use` items and paths. One file is one module.
//!
//! Re-exports are followed to the module that defines the name. Tests, and the modules `test…`, are left out. Calls of
//! methods are not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    tokens::{Kind, Token, tokenize, without_tests},
    type_names::defined_types,
};

/// A module, or an item in it, as names from the root of the crate.
pub(super) type Path = Vec<&'static str>;

pub(super) type Graph = BTreeMap<Path, BTreeSet<Path>>;

/// Re-exports of re-exports are followed this far.
const MAX_REEXPORTS: usize = 16;

#[derive(Default)]
struct Module {
    /// The tokens outside of `use` items, with the number of inline modules around each.
    code: Vec<(Token<'static>, usize)>,
    imports: Vec<Import>,
    definitions: BTreeSet<&'static str>,
}

struct Import {
    path: Path,
    /// The name in this module, or `*`.
    name: &'static str,
    is_public: bool,
    nesting: usize,
}

#[derive(Default)]
pub(super) struct Crate {
    modules: BTreeMap<Path, Module>,
}

impl Crate {
    /// From files as (path below `src`, text).
    pub(super) fn parse(files: &[(&'static str, &'static str)]) -> Self {
        let texts = files.iter().map(|(path, text)| (module_path(path), *text));
        let mut parsed = Self::default();
        parsed.add(&Path::new(), &texts.collect());
        parsed
    }

    /// Adds a module, and the modules that it declares outside of tests.
    fn add(&mut self, path: &Path, texts: &BTreeMap<Path, &'static str>) {
        let Some(text) = texts.get(path) else { return };
        let code = without_tests(&tokenize(text));
        self.modules.insert(path.clone(), Module::parse(&code));
        for item in code
            .windows(3)
            .filter(|item| item[0].is("mod") && item[2].is(";"))
        {
            if !item[1].text.starts_with("test") {
                self.add(&join(path, &[item[1].text]), texts);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.modules.len()
    }

    /// A use in both directions between a module and one below it counts only upwards: a parent may call what it
    /// declares.
    pub(super) fn graph(&self) -> Graph {
        let all: Graph = self
            .modules
            .keys()
            .map(|path| (path.clone(), self.uses_of(path)))
            .collect();
        let mut graph = all.clone();
        for (path, uses) in &mut graph {
            uses.retain(|used| !(used.starts_with(path) && all[used].contains(path)));
        }
        graph
    }

    fn uses_of(&self, module: &Path) -> BTreeSet<Path> {
        let imports = self.modules[module].imports.iter();
        let imported = imports.filter_map(|import| {
            let used = self.resolve(&self.absolute(module, &import.path, import.nesting)?);
            let is_own_reexport = import.is_public && used.starts_with(module);
            (!is_own_reexport).then_some(used)
        });
        let named = self
            .paths_in(module)
            .into_iter()
            .map(|path| self.resolve(&path));
        imported
            .chain(named)
            .filter(|used| used != module)
            .collect()
    }

    /// The paths in the code of a module that lead to modules of this crate.
    fn paths_in(&self, module: &Path) -> Vec<Path> {
        let code = &self.modules[module].code;
        let mut paths = Vec::new();
        for (index, (token, nesting)) in code.iter().enumerate() {
            let previous = index.checked_sub(1).map(|before| &code[before].0);
            let is_inside = previous.is_some_and(|t| t.is("::") || t.is(".") || t.is("in"));
            let path = path_at(&code[index..]);
            if token.kind == Kind::Identifier && !is_inside && path.len() > 1 {
                paths.extend(
                    self.absolute(module, &path, *nesting)
                        .or_else(|| self.through_import(module, &path)),
                );
            }
        }
        paths
    }

    /// `None` if the path leads out of the crate.
    fn absolute(&self, module: &Path, path: &Path, nesting: usize) -> Option<Path> {
        let ups = path.iter().take_while(|name| **name == "super").count();
        match *path.first()? {
            "crate" => Some(path[1..].to_vec()),
            "self" if nesting == 0 => Some(join(module, &path[1..])),
            "super" => {
                let length = module.len().checked_sub(ups.checked_sub(nesting)?)?;
                Some(join(&module[..length], &path[ups..]))
            }
            _ => {
                let child = join(module, path);
                self.modules
                    .contains_key(&child[..=module.len()])
                    .then_some(child)
            }
        }
    }

    /// `session::create` after `use crate::session`.
    fn through_import(&self, module: &Path, path: &Path) -> Option<Path> {
        let imports = &self.modules[module].imports;
        let import = imports
            .iter()
            .find(|import| import.nesting == 0 && import.name == path[0])?;
        let target = self.absolute(module, &import.path, 0)?;
        self.modules
            .contains_key(&target)
            .then(|| join(&target, &path[1..]))
    }

    /// The module that defines what a path names.
    fn resolve(&self, path: &Path) -> Path {
        self.resolve_within(path, MAX_REEXPORTS)
    }

    fn resolve_within(&self, path: &Path, steps: usize) -> Path {
        let is_module = |length: &usize| self.modules.contains_key(&path[..*length]);
        let length = (1..=path.len()).take_while(is_module).last().unwrap_or(0);
        let module = path[..length].to_vec();
        let Some(name) = path.get(length).filter(|_| steps > 0) else {
            return module;
        };
        let imports = self.modules[&module]
            .imports
            .iter()
            .filter(|import| import.nesting == 0);
        for import in imports.filter(|import| import.name == *name) {
            if let Some(target) = self.absolute(&module, &import.path, 0) {
                return self.resolve_within(&join(&target, &path[length + 1..]), steps - 1);
            }
        }
        self.through_glob(&module, &path[length..], steps)
            .unwrap_or(module)
    }

    fn through_glob(&self, module: &Path, rest: &[&'static str], steps: usize) -> Option<Path> {
        let own = &self.modules[module];
        if own.definitions.contains(rest[0]) {
            return None;
        }
        let globs = own
            .imports
            .iter()
            .filter(|import| import.name == "*" && import.nesting == 0);
        let targets = globs.filter_map(|import| self.absolute(module, &import.path, 0));
        let modules = targets.map(|target| self.resolve_within(&target, steps - 1));
        modules
            .filter(|target| target != module)
            .map(|target| self.resolve_within(&join(&target, rest), steps - 1))
            .find(|target| self.modules[target].definitions.contains(rest[0]))
    }
}

impl Module {
    fn parse(code: &[Token<'static>]) -> Self {
        let mut module = Self {
            definitions: definitions(code),
            ..Self::default()
        };
        let mut groups = Vec::new();
        let mut at = 0;
        while let Some(token) = code.get(at) {
            if token.is("{") {
                groups.push(at >= 2 && code[at - 2].is("mod"));
            } else if token.is("}") {
                groups.pop();
            }
            let nesting = groups.iter().filter(|is_module| **is_module).count();
            if token.is("use") && !code[at + 1].is("<") {
                let is_public = at > 0 && (code[at - 1].is("pub") || code[at - 1].is(")"));
                let mut imports = Vec::new();
                at += 1 + use_tree(&code[at + 1..], &Path::new(), &mut imports);
                module
                    .imports
                    .extend(imports.into_iter().map(|import| Import {
                        path: import.path,
                        name: import.name,
                        is_public,
                        nesting,
                    }));
            } else {
                module.code.push((*token, nesting));
                at += 1;
            }
        }
        module
    }
}

struct UsedName {
    path: Path,
    name: &'static str,
}

/// Reads a use tree and returns its number of tokens.
fn use_tree(code: &[Token<'static>], prefix: &Path, found: &mut Vec<UsedName>) -> usize {
    let mut path = prefix.clone();
    let mut at = 0;
    loop {
        if code[at].is("{") {
            at += 1;
            while !code[at].is("}") {
                at += use_tree(&code[at..], &path, found);
                at += usize::from(code[at].is(","));
            }
            return at + 1;
        }
        let is_extern = code[at].is("::");
        path.push(code[at].text);
        at += 1;
        if !is_extern && !code[at].is("::") {
            break;
        }
        at += usize::from(!is_extern);
    }
    if path.len() > 1 && path.last() == Some(&"self") {
        path.pop();
    }
    let renamed = code[at].is("as").then(|| code[at + 1].text);
    let name = renamed.or(path.last().copied()).unwrap_or_default();
    if name == "*" {
        path.pop();
    }
    found.push(UsedName { path, name });
    at + if renamed.is_some() { 2 } else { 0 }
}

/// The path at the start of the code: `a::b` has two names.
fn path_at(code: &[(Token<'static>, usize)]) -> Path {
    let mut path: Path = code
        .first()
        .map(|(token, _)| token.text)
        .into_iter()
        .collect();
    for pair in code[1..].chunks_exact(2) {
        if !pair[0].0.is("::") || pair[1].0.kind != Kind::Identifier {
            break;
        }
        path.push(pair[1].0.text);
    }
    path
}

fn definitions(code: &[Token<'static>]) -> BTreeSet<&'static str> {
    const KEYWORDS: [&str; 4] = ["fn", "const", "static", "mod"];
    let is_keyword = |token: &Token| KEYWORDS.iter().any(|keyword| token.is(keyword));
    let pairs = code.windows(2).filter(|pair| is_keyword(&pair[0]));
    let macros = code.windows(3).filter(|three| three[0].is("macro_rules"));
    let names = pairs
        .map(|pair| pair[1].text)
        .chain(macros.map(|three| three[2].text));
    names.chain(defined_types(code)).collect()
}

fn module_path(file: &'static str) -> Path {
    let mut names: Path = file.trim_end_matches(".rs").split('/').collect();
    let is_root = names.len() == 1 && ["lib", "main"].contains(&names[0]);
    if is_root || names.last() == Some(&"mod") {
        names.pop();
    }
    names
}

fn join(module: &[&'static str], names: &[&'static str]) -> Path {
    [module, names].concat()
}

/// The groups of modules that use each other, larger first. A group has at least two modules.
pub(super) fn cycles(graph: &Graph) -> Vec<Vec<Path>> {
    let reachable: BTreeMap<&Path, BTreeSet<&Path>> = graph
        .keys()
        .map(|module| (module, reachable_from(graph, module)))
        .collect();
    let group = |module: &Path| -> Vec<Path> {
        let mutual = reachable[module]
            .iter()
            .filter(|other| reachable[*other].contains(module));
        mutual.map(|other| (*other).clone()).collect()
    };
    let groups: BTreeSet<Vec<Path>> = graph.keys().map(group).collect();
    let mut groups: Vec<_> = groups.into_iter().filter(|group| group.len() > 1).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

fn reachable_from<'a>(graph: &'a Graph, module: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Path> = graph[module].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(&graph[next]);
        }
    }
    reached
}
