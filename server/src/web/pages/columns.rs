//! The headers of the table of files, which sort it.

use vault::order::Sort;

use crate::api::files::sorting::{self, SortBy, SortOrder};

/// The order of a list, as in its URL. Without a choice, by name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    by: Option<SortBy>,
    order: Option<SortOrder>,
}

impl Columns {
    pub(crate) fn new(by: Option<SortBy>, order: Option<SortOrder>) -> Self {
        Self { by, order }
    }

    fn current(self) -> SortBy {
        self.by.unwrap_or(SortBy::Name)
    }

    fn is_descending(self) -> bool {
        self.order == Some(SortOrder::Desc)
    }

    pub(crate) fn sort(self) -> Sort {
        sorting::sort(Some(self.current()), self.order)
    }

    pub(crate) fn append_to(self, query: &mut form_urlencoded::Serializer<'_, String>) {
        if let Some(by) = self.by {
            query.append_pair("sort", by.as_str());
        }
        if self.is_descending() {
            query.append_pair("order", "desc");
        }
    }

    /// The name of the column in `sort=`, for the script.
    pub fn by(self) -> &'static str {
        self.current().as_str()
    }

    pub fn order(self) -> &'static str {
        if self.is_descending() { "desc" } else { "asc" }
    }

    /// The `aria-sort` of a header.
    pub fn aria_sort(self, column: &str) -> &'static str {
        match (self.by() == column, self.is_descending()) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    /// The query of the link of a header: by its column, or in the other direction. Sizes and times
    /// start with the largest and newest.
    pub fn link(self, column: &str) -> String {
        let starts_descending = matches!(column, "size" | "changed");
        let descending = if self.by() == column {
            !self.is_descending()
        } else {
            starts_descending
        };
        format!(
            "?sort={column}&order={}",
            if descending { "desc" } else { "asc" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_links_reverse_the_sorted_column() {
        let none = Columns::default();
        assert_eq!(none.aria_sort("name"), "ascending");
        assert_eq!(none.aria_sort("size"), "none");
        assert_eq!(none.link("name"), "?sort=name&order=desc");
        assert_eq!(none.link("size"), "?sort=size&order=desc");
        assert_eq!(none.link("holder"), "?sort=holder&order=asc");
        let by_size = Columns::new(Some(SortBy::Size), Some(SortOrder::Desc));
        assert_eq!(by_size.aria_sort("size"), "descending");
        assert_eq!(by_size.link("size"), "?sort=size&order=asc");
        assert_eq!(by_size.link("name"), "?sort=name&order=asc");
    }
}
