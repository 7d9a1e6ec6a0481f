//! Scratch.
fn main() {
    let ours = benches::counter::Counted::load(
        &std::fs::read(std::env::args().nth(1).unwrap_or("policy.wasm".into())).unwrap(),
    )
    .unwrap();
    let floor = benches::counter::Counted::load(
        &std::fs::read("target/floor/wasm32-unknown-unknown/release/floor.wasm").unwrap(),
    )
    .unwrap();
    println!(
        "init {} {}",
        ours.call("protocol_version", b"").unwrap().instructions,
        floor.call("protocol_version", b"").unwrap().instructions
    );
    println!("settings {}", ours.call("validate_settings", b"{}").unwrap().instructions);
    let del =
        String::from_utf8(benches::requests::all()[0].payload.clone()).unwrap().replace("\"CREATE\"", "\"DELETE\"");
    println!("utf8 {}", ours.call("validate", format!("x{del}").as_bytes()).unwrap().instructions);
    println!(
        "other kind {}",
        ours.call("validate", del.replace("\"MetricPipeline\"", "\"Other\"").as_bytes()).unwrap().instructions
    );
    println!("flat {}", ours.call("validate", format!("{{\"a\":{del}}}").as_bytes()).unwrap().instructions);
    println!("delete {}", ours.call("validate", del.as_bytes()).unwrap().instructions);
    for request in benches::requests::all() {
        let (a, b) =
            (ours.call("validate", &request.payload).unwrap(), floor.call("validate", &request.payload).unwrap());
        println!(
            "{:24} {:8} {:9} {:9} {:.3}  pages {} {}  {}",
            request.name,
            request.payload.len(),
            a.instructions,
            b.instructions,
            a.instructions as f64 / b.instructions as f64,
            a.pages,
            b.pages,
            String::from_utf8_lossy(&a.answer).chars().take(0).collect::<String>()
        );
        if request.name.contains("rej") {
            println!("{}", String::from_utf8_lossy(&a.answer));
        }
    }
}
#[test]
fn dump() {
    for (i, r) in crate::dumped().into_iter().enumerate() {
        std::fs::write(format!("/tmp/nat/req{i}.json"), r).unwrap();
    }
}
#[cfg(test)]
fn dumped() -> Vec<Vec<u8>> {
    benches::requests::all().into_iter().map(|r| r.payload).collect()
}
