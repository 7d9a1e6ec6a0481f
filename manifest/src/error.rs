//! What can go wrong with a manifest. No text here holds anything of the document.

/// A text that is not what `kubectl` could send, and the line if known, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct YamlError {
    /// What is wrong.
    pub kind: YamlErrorKind,
    /// Where.
    pub line: Option<usize>,
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlErrorKind {
    /// The parser's own words.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// The text ends inside of a value.
    #[error("not valid YAML: it ends too soon")]
    EndsTooSoon,
    /// A value is missing.
    #[error("not valid YAML: a value is missing")]
    MissingValue,
    /// One text with two documents.
    #[error("not valid YAML: a second document")]
    SecondDocument,
    /// An alias inside of its own anchor.
    #[error("not valid YAML: an anchor contains itself")]
    Circle,
    /// `<<` before something else than mappings.
    #[error("not valid YAML: `<<` must refer to a mapping")]
    NotMergeable,
    /// A value that its tag does not allow.
    #[error("not valid YAML: a value does not fit its tag")]
    UnfitTag,
    /// A key that JSON does not have.
    #[error("not JSON: a mapping key is not a string")]
    KeyNotAString,
    /// A number that JSON does not have.
    #[error("not JSON: a number is infinite, or not a number")]
    NumberBeyondJson,
    /// More levels than any manifest has.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// A few aliases that stand for gigabytes.
    #[error("its aliases expand to more than {0} MiB")]
    AliasesTooLarge(usize),
    /// More text than any manifest has.
    #[error("a document larger than {0} MiB")]
    TooLarge(usize),
}

impl YamlErrorKind {
    /// The error at a line.
    pub(crate) fn at(self, line: usize) -> YamlError {
        YamlError { kind: self, line: Some(line) }
    }
}

/// A text that describes no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeployedError {
    /// It cannot be read.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It has no policy in it, or several.
    #[error("expected one ClusterAdmissionPolicy, found {0}")]
    Count(usize),
}

/// A repair that cannot be written into a text without a change to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FixError {
    /// Half of its lines end in one way, half in another.
    #[error("its line endings are mixed")]
    MixedLineEndings,
    /// The object is not the one that the patch was made from.
    #[error("the policy's patch does not fit")]
    PatchDoesNotFit,
    /// A patch that removes something.
    #[error("the policy's patch removes a field")]
    PatchRemoves,
    /// A patch of the whole object.
    #[error("the policy's patch replaces everything")]
    PatchReplacesAll,
    /// Its document has too many repairs that fail.
    #[error("too many repairs of its document cannot be made")]
    TooManyAttempts,
    /// Two repairs at one place.
    #[error("its place is that of another repair")]
    SamePlace,
    /// The text has no place for it.
    #[error("the place of a repair cannot be found in the YAML")]
    PlaceNotFound,
    /// Something a person wrote would be lost.
    #[error("the result would change other lines")]
    ChangesOtherLines,
    /// A key without anything behind it.
    #[error("its place is empty")]
    EmptyPlace,
    /// A key in a form of its own.
    #[error("its key has no colon")]
    NoColon,
    /// Something else stands where a mapping or a list should.
    #[error("its place has another shape")]
    AnotherShape,
    /// A change there would be a change elsewhere.
    #[error("an alias stands there, and its anchor serves other places too")]
    Alias,
    /// The libraries' own words may quote the file; what can be done about it is the same for all of them.
    #[error("the YAML is of a form that cannot be patched")]
    UnknownForm,
    /// The new text cannot be read.
    #[error("the result would not be valid YAML")]
    ResultNotYaml,
    /// The new text says something else than the patch.
    #[error("the result would say something else")]
    ResultDiffers,
}
