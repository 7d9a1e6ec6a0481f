//! Child processes that end when their owner does, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// Waits for the program on the one hand, and for the end of standard input on the other: the pipe is closed when the
/// owner drops it, and by the operating system when the owner is killed. An API server whose etcd is gone does not end when it
/// is asked to: after some seconds it is not asked any more.
const SUPERVISOR: &str = r#"exec 3<&0
"$@" 3<&- </dev/null &
child=$!
{ cat <&3; kill "$child"; sleep 5; kill -0 $$ && kill -9 "$child"; } >/dev/null 2>&1 &
wait "$child""#;

/// A path in the environment; an empty one is none.
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; its output goes into a file.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> anyhow::Result<Self> {
        let output = File::create(log).with_context(|| log.display().to_string())?;
        let child = Command::new("sh")
            .args(["-c", SUPERVISOR, "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// The end of its output, if it has ended by itself.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n");
            format!("ended with {status}:\n{last}")
        }))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use std::time::{Duration, Instant};

    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("{name}-{}.log", std::process::id()))
    }

    #[test]
    fn ends_its_program_with_itself() {
        let process = Process::start(Path::new("sleep"), &["600".to_owned()], &log("sleep")).unwrap();
        let start = Instant::now();
        drop(process);
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn ends_a_program_that_does_not_want_to() {
        let arguments = ["-c", "trap '' TERM; while :; do sleep 1; done"].map(str::to_owned);
        let process = Process::start(Path::new("sh"), &arguments, &log("stubborn")).unwrap();
        // Until the signal is ignored.
        std::thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        drop(process);
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn tells_how_a_program_ended_by_itself() {
        let arguments = ["-c", "echo cannot listen >&2; exit 7"].map(str::to_owned);
        let mut process = Process::start(Path::new("sh"), &arguments, &log("sh")).unwrap();
        let ended = loop {
            if let Some(ended) = process.ended().unwrap() {
                break ended;
            }
        };
        assert!(ended.contains('7') && ended.contains("cannot listen"), "{ended}");
    }
}
