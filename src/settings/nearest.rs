//! The known name that somebody may have meant.

/// ``, did you mean `x`?`` for the known name nearest to `name`, if one is near.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    // Long names are no typing errors, and the distance costs the product of both lengths.
    if name.len() > 64 {
        return String::new();
    }
    let distance = |known: &str| strsim::levenshtein(&name.to_ascii_lowercase(), &known.to_ascii_lowercase());
    let best = known.iter().map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance);
    match best {
        Some((distance, best)) if distance <= best.len().div_ceil(3) => format!("; did you mean `{best}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_names_that_are_near_and_not_too_long() {
        assert_eq!(nearest("MODF", &["rules", "mode"]), "; did you mean `mode`?");
        assert_eq!(nearest("mxxf", &["rules", "mode"]), "");
        let known = "a".repeat(64);
        assert!(nearest(&"a".repeat(64), &[&known]).starts_with("; did you mean"));
        assert_eq!(nearest(&"a".repeat(65), &[&known]), "");
    }
}
