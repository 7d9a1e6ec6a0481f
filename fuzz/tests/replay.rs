//! Every target on its corpus, without a fuzzer: what was found once is not found again.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::fs;
use std::path::Path;

#[test]
fn every_target_holds_on_its_corpus() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in fuzz::TARGETS {
        let mut folders = vec![own.join("corpus").join(name)];
        // YAML as people write it, aliases and mixed line ends among it.
        folders.extend(["yaml", "fix"].contains(&name).then(|| own.join("../cli/tests/styles")));
        let mut count = 0;
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count >= 20, "{name}: {count} inputs");
        println!("{name}: {count} inputs");
    }
}
