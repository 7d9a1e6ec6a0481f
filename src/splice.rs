//! Changes a JSON document by cutting text in, so that everything else stays byte for byte what it was.
//!
//! Parsing an object and writing it back loses what the parser does not model: unknown fields, the order of keys,
//! digits of large numbers. A splice loses nothing, because it never reads what it does not change.

use std::ops::Range;

use crate::json::Node;

/// One change to a document, held as slices of it.
#[derive(Debug, Clone)]
pub enum Edit<'a> {
    /// Puts other text in the place of a value.
    Replace(Node<'a>, String),
    /// Adds a member or an element (`"key":value`, or a value) at the end of an object or array.
    Append(Node<'a>, String),
}

impl Edit<'_> {
    /// The bytes of `document` that this edit replaces (none, for an insertion before the closing bracket).
    fn range(&self, document: &str) -> Option<Range<usize>> {
        match self {
            Self::Replace(node, _) => range_in(document, node.raw()),
            Self::Append(node, _) => {
                let end = range_in(document, node.raw())?.end.checked_sub(1)?;
                Some(end..end)
            }
        }
    }
}

/// The document with the edits made, or `None` where an edit is not of this document.
///
/// Several edits may append to the same container; they keep their order.
#[must_use]
pub fn splice(document: &str, edits: &[Edit<'_>]) -> Option<String> {
    let mut placed = Vec::with_capacity(edits.len());
    for edit in edits {
        let range = edit.range(document)?;
        // Behind those that begin at the same place. A handful of edits needs no sorting algorithm, which is 5 kB.
        let at = placed.partition_point(|(other, _): &(Range<usize>, _)| other.start <= range.start);
        placed.insert(at, (range, edit));
    }
    let added: usize = edits.iter().map(|edit| edit.text().len() + 1).sum();
    let mut result = String::with_capacity(document.len() + added);
    let mut copied = 0;
    let mut previous = None;
    for (range, edit) in placed {
        result.push_str(document.get(copied..range.start)?);
        if let Edit::Append(container, _) = edit {
            let is_first = is_empty(*container) && previous != Some(range.start);
            if !is_first {
                result.push(',');
            }
        }
        result.push_str(edit.text());
        previous = Some(range.start);
        copied = range.end;
    }
    result.push_str(document.get(copied..)?);
    Some(result)
}

impl Edit<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Replace(_, text) | Self::Append(_, text) => text,
        }
    }
}

/// Whether an object or array has nothing between its brackets.
fn is_empty(container: Node<'_>) -> bool {
    let inner = container.raw();
    inner.get(1..inner.len().saturating_sub(1)).is_some_and(|inner| inner.trim_ascii().is_empty())
}

/// Where `part` lies in `whole`; `None` where it is not a slice of it.
fn range_in(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn repairs_in_place_and_leaves_every_other_byte() {
        let document = r#"{ "z" : 1e400 , "a":{"p": "" , "l":[1] , "e":{ }}, "n":12345678901234567890 }"#;
        let a = parse(document).members().unwrap().get("a").unwrap();
        let members = a.members().unwrap();
        let edits = [
            Edit::Append(a, r#""k":1"#.into()),
            Edit::Replace(members.get("p").unwrap(), r#""x""#.into()),
            Edit::Append(a, r#""m":2"#.into()),
            Edit::Append(members.get("l").unwrap(), "2".into()),
            Edit::Append(members.get("e").unwrap(), r#""f":3"#.into()),
        ];
        assert_eq!(
            splice(document, &edits).unwrap(),
            r#"{ "z" : 1e400 , "a":{"p": "x" , "l":[1,2] , "e":{ "f":3},"k":1,"m":2}, "n":12345678901234567890 }"#
        );
    }

    #[test]
    fn repairs_an_empty_object_with_two_members() {
        let document = "{}";
        let root = parse(document);
        let edits = [Edit::Append(root, r#""a":1"#.into()), Edit::Append(root, r#""b":2"#.into())];
        assert_eq!(splice(document, &edits).unwrap(), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn rejects_a_node_of_another_document() {
        let other = String::from("{}");
        assert!(splice("{}", &[Edit::Replace(parse(&other), "1".into())]).is_none());
    }
}
