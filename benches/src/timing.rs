//! Wall time: never asserted, only told.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Ten seconds, in nanoseconds: nothing here takes longer.
const LONGEST: u64 = 10_000_000_000;

/// Half of the runs were quicker than `p50`, one in a hundred was slower than `p99`.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Median.
    pub p50: Duration,
    /// 99th percentile.
    pub p99: Duration,
}

/// Times something on this thread, after a tenth of the runs to warm up.
///
/// # Errors
/// Where no histogram can be made; it always can.
pub fn time<T>(runs: u32, mut work: impl FnMut() -> T) -> Result<Times, String> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, LONGEST, 3).map_err(|error| error.to_string())?;
    for run in 0..runs + runs / 10 {
        let start = Instant::now();
        black_box(work());
        let time = start.elapsed();
        if run >= runs / 10 {
            histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        }
    }
    let quantile = |share: f64| Duration::from_nanos(histogram.value_at_quantile(share));
    Ok(Times { p50: quantile(0.5), p99: quantile(0.99) })
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        write!(f, "{:.1} | {:.1}", micros(self.p50), micros(self.p99))
    }
}
