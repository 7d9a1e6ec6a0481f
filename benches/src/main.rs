//! Counts and times the policy, and writes the tables into `benches/README.md`.

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use benches::figures::{self, Figures, Row};
#[cfg(feature = "peers")]
use benches::peers::{Cel, RegoPolicy};
#[cfg(feature = "peers")]
use benches::requests::Verdict;
#[cfg(feature = "peers")]
use benches::timing::{Times, time};
#[cfg(feature = "peers")]
use kyma_dynatrace_engine::Module;

/// Runs of what takes microseconds.
#[cfg(feature = "peers")]
const RUNS: u32 = 20_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let figures = Figures::count()?;
    // `bench count` leaves the times as they were told last.
    let is_count = std::env::args().nth(1).is_some_and(|argument| argument == "count");
    let mut sections = vec![("goals", goals(&figures)), ("counted", counted(&figures))];
    if !is_count {
        sections.extend([("timed", timed()?), ("machine", machine())]);
    }
    let path = benches::root().join("benches/README.md");
    let mut text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    for (name, table) in &sections {
        println!("{table}");
        let table = format!("\n{table}\n");
        text = xtask::sections::replace(&text, name, "bench", &table).map_err(|error| error.to_string())?;
    }
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    let mut recorded = format!("bytes\t{}\n", figures.bytes.0);
    let _ = writeln!(recorded, "settings\t{}", figures.settings.1);
    for row in &figures.rows {
        let _ = writeln!(recorded, "{}\t{}", row.request.name, row.ours.instructions);
    }
    std::fs::write(benches::root().join("benches/counted.tsv"), recorded).map_err(|error| error.to_string())
}

fn goals(figures: &Figures) -> String {
    let mut table = "| | goal | measured |\n|---|---|---|\n".to_owned();
    let mut row = |what: &str, goal: String, measured: String| {
        let _ = writeln!(table, "| {what} | {goal} | {measured} |");
    };
    let missed = if figures.bytes.0 > figures::BYTES { " (missed)" } else { "" };
    row(
        "wasm module, before annotation",
        format!("at most {} bytes", figures::BYTES),
        format!("{}{missed}", figures.bytes.0),
    );
    for (name, goal) in figures::SHARES {
        let share = figures.row(name).map_or(f64::NAN, Row::share);
        let floor = if name.ends_with("repaired") { "mutating" } else { "accepting" };
        row(&format!("instructions, {name}"), format!("at most {goal} of the {floor} floor"), format!("{share:.3}"));
    }
    let measured = figures.corpus.map_or_else(
        || "not measured: no corpus".to_owned(),
        |(share, count)| format!("{share:.3}, mean over {count} pipelines"),
    );
    row(
        "instructions, real pipelines",
        format!("at most {} of the floor that does the same", figures::CORPUS),
        measured,
    );
    let default = figures.row("accepted as it is");
    row(
        "memory pages at the end of a 4 kB request",
        format!("at most {}", figures::PAGES),
        default.map_or(0, |row| row.ours.pages).to_string(),
    );
    let (low, high) = figures.growth();
    row(
        "growth, instructions for each byte more",
        "the same within 10 %".to_owned(),
        format!("{low:.2} from 4 to 100 kB, {high:.2} from 100 kB to 1 MB"),
    );
    let (none, all) = figures.settings_shares();
    row("default settings, `{}`", "at most 5 % of the default request".to_owned(), format!("{:.1} %", none * 100.0));
    row("settings that name every default", "none".to_owned(), format!("{:.1} %", all * 100.0));
    table
}

fn counted(figures: &Figures) -> String {
    let mut table =
        "| request | bytes | instructions | floor | share | pages | floor |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in &figures.rows {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {:.3} | {} | {} |",
            row.request.name,
            row.request.payload.len(),
            row.ours.instructions,
            row.floor.instructions,
            row.share(),
            row.ours.pages,
            row.floor.pages
        );
    }
    let (_, accepting, mutating) = figures.bytes;
    let _ = writeln!(table, "\nThe accepting floor has {accepting} bytes, the mutating one {mutating}.");
    table
}

#[cfg(feature = "peers")]
fn timed() -> Result<String, String> {
    let module = Module::load(&benches::module(benches::POLICY)?).map_err(|error| error.to_string())?;
    let floor = |name| Module::load(&benches::module(name)?).map_err(|error| error.to_string());
    let (accepting, mutating) = (floor(benches::ACCEPTING)?, floor(benches::MUTATING)?);
    let (cel, rego) = (Cel::load()?, RegoPolicy::load()?);
    let mut table = "| request | what | p50, µs | p99, µs |\n|---|---|---|---|\n".to_owned();
    let is_goal = |name: &str| figures::SHARES.iter().any(|(goal, _)| *goal == name);
    for request in benches::requests::all().into_iter().filter(|request| is_goal(request.name)) {
        let payload = &request.payload;
        let floor = if request.verdict == Verdict::Repaired { &mutating } else { &accepting };
        let mut row = |what: &str, times: Times| {
            let _ = writeln!(table, "| {} | {what} | {times} |", request.name);
        };
        row("module: new instance", time(RUNS, || module.instance().map(drop))?);
        let mut instances = (0..RUNS + RUNS / 10).map(|_| module.instance());
        let mut calls = Vec::new();
        // Instances are made before they are timed, a few at a time.
        for _ in 0..RUNS / 1000 {
            let batch: Vec<_> = instances.by_ref().take(1000).flatten().collect();
            let mut batch = batch.iter().cycle();
            calls.push(time(900, || batch.next().map(|instance| instance.call("validate", payload)))?);
        }
        calls.sort_by_key(|times| times.p50);
        if let Some(median) = calls.get(calls.len() / 2) {
            row("module: `validate` alone (median of batches)", *median);
        }
        row("module: both", time(RUNS, || module.call("validate", payload))?);
        row("floor: both", time(RUNS, || floor.call("validate", payload))?);
        row("our core, native", time(RUNS, || kyma_dynatrace_policy::validate(payload))?);
        row("CEL, native, four rules", time(RUNS / 10, || cel.review(payload))?);
        row("Rego, native, four rules", time(RUNS / 10, || rego.review(payload))?);
    }
    Ok(table)
}

#[cfg(not(feature = "peers"))]
fn timed() -> Result<String, String> {
    Err("this build has no peers to time: run `make bench`".to_owned())
}

fn machine() -> String {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("unknown", |x| x.1);
    let commit = output("git", &["rev-parse", "--short", "HEAD"]);
    format!("{cpu}, one core; {}; commit {commit} and what was changed since.\n", output("rustc", &["--version"]))
}
