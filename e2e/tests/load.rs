//! Ten thousand requests at once, most of them hostile: no trap, the answers of the calm run, and no memory kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{module, payload, root};
use serde_json::{Value, json};

const REQUESTS: usize = 10_000;

/// What the process may keep after ten thousand requests, in kB: pages that the allocator and the engine have for the next
/// ones. One request that is never freed would be a hundred times that.
const MAX_GROWTH: u64 = 64 * 1024;

/// A kind of request, and its payloads.
type Kind = (&'static str, Vec<Vec<u8>>);

/// As users send them.
fn valid() -> Kind {
    let cases = e2e::cases::all();
    let of = |case: &e2e::cases::Case| {
        let settings = if case.settings.is_null() { json!({}) } else { case.settings.clone() };
        payload(&case.request(), &settings)
    };
    ("valid", cases.iter().map(of).collect())
}

/// What a fuzzer has found worth keeping, and valid requests cut off, doubled, and with a byte changed.
fn broken(valid: &[Vec<u8>]) -> Kind {
    let corpus = fs::read_dir(root().join("fuzz/corpus/validate")).unwrap();
    let mut payloads: Vec<Vec<u8>> = corpus.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    for (index, payload) in valid.iter().enumerate() {
        let middle = (index * 37) % payload.len();
        payloads.push(payload[..middle].to_vec());
        payloads.push([payload.as_slice(), payload].concat());
        let mut changed = payload.clone();
        changed[middle] = changed[middle].wrapping_add(1 + u8::try_from(index % 250).unwrap());
        payloads.push(changed);
    }
    ("broken", payloads)
}

/// As large as the API server lets through, and deeper than anybody nests.
fn huge() -> Kind {
    let mut object = e2e::cases::all().iter().find(|case| case.verdict == "repaired").unwrap().object();
    let mut payloads = Vec::new();
    let mut add = |name: &str, object: &Value| {
        let request = kyma_dynatrace_admission::admission_request(object, None);
        payloads.push(payload(&request, &json!({})));
        assert!(payloads.last().unwrap().len() > 100_000, "{name} is not huge");
    };
    object["metadata"]["annotations"] = json!({"a": "x".repeat(1 << 20)});
    add("annotation", &object);
    object["metadata"]["annotations"] =
        (0..20_000).map(|n| (format!("a{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    add("annotations", &object);
    object["metadata"]["annotations"] = json!({});
    object["spec"]["output"]["otlp"]["headers"] =
        (0..20_000).map(|n| json!({"name": format!("x-{n}"), "value": "v"})).collect();
    add("headers", &object);
    object["spec"]["output"]["otlp"]["headers"] =
        (0..20_000).map(|_| json!({"name": "Authorization", "value": 1})).collect();
    add("wrong headers", &object);
    object["spec"]["output"]["otlp"]["endpoint"] = json!({"value": "https://".to_owned() + &"a/../".repeat(200_000)});
    add("endpoint", &object);
    let deep = "[".repeat(1 << 19) + &"]".repeat(1 << 19);
    payloads.push(format!(r#"{{"request":{{"object":{deep}}},"settings":{{}}}}"#).into_bytes());
    ("huge", payloads)
}

/// What the process has in memory, in kB; nothing where the system does not say so.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}

fn answer(payload: &[u8]) -> Value {
    let bytes = module().call("validate", payload).unwrap_or_else(|error| panic!("a trap: {error}"));
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn ten_thousand_hostile_requests_at_once_change_nothing() {
    let (valid, huge) = (valid(), huge());
    let kinds = [broken(&valid.1), valid, huge];
    let calm: Vec<Vec<Value>> =
        kinds.iter().map(|(_, payloads)| payloads.iter().map(|one| answer(one)).collect()).collect();
    // Of forty requests one is huge, thirteen are valid.
    let pick = |number: usize| {
        let kind = if number.is_multiple_of(40) { 2 } else { usize::from(number.is_multiple_of(3)) };
        (kind, (number / 3 * 7919) % kinds[kind].1.len())
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let next = AtomicUsize::new(0);
    let before = memory();
    let begin = Instant::now();
    let work = || {
        let mut slowest = [(0, Duration::ZERO); 3];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= REQUESTS {
                break slowest;
            }
            let (kind, index) = pick(number);
            let begin = Instant::now();
            assert_eq!(answer(&kinds[kind].1[index]), calm[kind][index], "{} {index}", kinds[kind].0);
            let (count, longest) = slowest[kind];
            slowest[kind] = (count + 1, longest.max(begin.elapsed()));
        }
    };
    let slowest: Vec<[(usize, Duration); 3]> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a thread that ended well")).collect()
    });
    let all = begin.elapsed();
    for (kind, (name, payloads)) in kinds.iter().enumerate() {
        let count: usize = slowest.iter().map(|of_thread| of_thread[kind].0).sum();
        let longest = slowest.iter().map(|of_thread| of_thread[kind].1).max().unwrap();
        assert!(count >= 200, "{name}: {count}");
        println!("load: {count} {name} requests of {} kinds, the slowest {longest:.1?}", payloads.len());
    }
    let growth = before.zip(memory()).map(|(before, after)| after.saturating_sub(before));
    println!("load: {REQUESTS} requests on {threads} threads in {all:.1?}, memory grown by {growth:?} kB");
    assert!(growth.is_none_or(|growth| growth <= MAX_GROWTH), "{growth:?} kB more than before");
}
