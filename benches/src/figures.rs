//! The counted figures, and the goals that they are held to.

use crate::counter::{Cost, Counted};
use crate::requests::{self, Request};

/// Instructions, as a share of what the floor takes for the same request: name of the request, and the most.
pub const SHARES: [(&str, f64); 4] =
    [("elsewhere", 0.5), ("accepted as it is", 0.6), ("rejected, 10 findings", 0.9), ("repaired", 1.2)];

/// Bytes of the module before annotation, at most.
pub const BYTES: usize = 160_000;

/// Pages of memory at the end of a request of about 4 kB, at most.
pub const PAGES: u64 = 8;

/// Instructions a byte more between 4 kB and 100 kB, and between 100 kB and 1 MB: how far they may be apart.
pub const GROWTH: f64 = 0.1;

/// Instructions to read the default settings, `{}`, as a share of the default request, at most.
pub const SETTINGS: f64 = 0.05;

/// What one request costs, ours beside the floor.
pub struct Row {
    /// The request.
    pub request: Request,
    /// Ours.
    pub ours: Cost,
    /// The floor's.
    pub floor: Cost,
}

impl Row {
    /// Our instructions as a share of the floor's.
    #[must_use]
    pub fn share(&self) -> f64 {
        share(self.ours.instructions, self.floor.instructions)
    }
}

/// All that is counted.
pub struct Figures {
    /// Bytes of our module and of the floor.
    pub bytes: (usize, usize),
    /// Each request.
    pub rows: Vec<Row>,
    /// Instructions to read and judge the settings `{}`, and settings that name every default.
    pub settings: (u64, u64),
}

/// One number as a share of another.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "instructions fit into 52 bits")]
pub fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

impl Figures {
    /// Counts.
    ///
    /// # Errors
    /// Where a module is not built, or traps.
    pub fn count() -> Result<Self, String> {
        let (ours, floor) = (crate::module(crate::POLICY)?, crate::module(crate::FLOOR)?);
        let bytes = (ours.len(), floor.len());
        let text = |error: wasmtime::Error| format!("{error:#}");
        let (ours, floor) = (Counted::load(&ours).map_err(text)?, Counted::load(&floor).map_err(text)?);
        let mut rows = Vec::new();
        for request in requests::all() {
            let ours = ours.call("validate", &request.payload).map_err(text)?;
            let floor = floor.call("validate", &request.payload).map_err(text)?;
            rows.push(Row { request, ours, floor });
        }
        let read = |settings: &[u8]| ours.call("validate_settings", settings).map_err(text);
        let (none, all) = (read(b"{}")?, read(requests::DEFAULT_SETTINGS.as_bytes())?);
        if !String::from_utf8_lossy(&all.answer).contains("true") {
            return Err("the settings that are measured are not valid".to_owned());
        }
        // An instance's start is not the settings' cost.
        let start = ours.call("protocol_version", b"").map_err(text)?.instructions;
        Ok(Self { bytes, rows, settings: (none.instructions - start, all.instructions - start) })
    }

    /// The row of a request.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.request.name == name)
    }

    /// Instructions for each byte more, from 4 kB to 100 kB, and from 100 kB to 1 MB.
    #[must_use]
    pub fn growth(&self) -> (f64, f64) {
        let row = |name| self.row(name).map_or((0, 0), |row| (row.ours.instructions, row.request.payload.len() as u64));
        let (small, middle, large) = (row("accepted as it is"), row("100 kB of transforms"), row("1 MB of transforms"));
        let slope = |from: (u64, u64), to: (u64, u64)| share(to.0 - from.0, to.1 - from.1);
        (slope(small, middle), slope(middle, large))
    }

    /// The costs of settings as shares of the default request: of `{}`, and where every default is named.
    #[must_use]
    pub fn settings_shares(&self) -> (f64, f64) {
        let default = self.row("accepted as it is").map_or(1, |row| row.ours.instructions);
        (share(self.settings.0, default), share(self.settings.1, default))
    }

    /// What is above its goal, a line each.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let mut hold = |is_reached: bool, line: String| {
            if !is_reached {
                missed.push(line);
            }
        };
        hold(self.bytes.0 <= BYTES, format!("the module has {} bytes, at most {BYTES}", self.bytes.0));
        for (name, goal) in SHARES {
            let share = self.row(name).map_or(f64::INFINITY, Row::share);
            hold(share <= goal, format!("{name}: {share:.3} of the floor's instructions, at most {goal}"));
        }
        let pages = self.row("accepted as it is").map_or(u64::MAX, |row| row.ours.pages);
        hold(pages <= PAGES, format!("{pages} pages of memory, at most {PAGES}"));
        let (low, high) = self.growth();
        let apart = (high / low - 1.0).abs();
        hold(apart <= GROWTH, format!("{low:.2} and {high:.2} instructions a byte: not linear"));
        let (settings, _) = self.settings_shares();
        hold(settings <= SETTINGS, format!("settings cost {settings:.3} of the default request, at most {SETTINGS}"));
        missed
    }
}
