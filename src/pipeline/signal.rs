//! Which pipelines there are, and what each carries.

/// API group of the pipelines.
pub const GROUP: &str = "telemetry.kyma-project.io";

/// What a pipeline carries, known from its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// MetricPipeline.
    Metrics,
    /// TracePipeline.
    Traces,
    /// LogPipeline.
    Logs,
}

impl Signal {
    /// The signal of a kind; `None` for another kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "MetricPipeline" => Some(Self::Metrics),
            "TracePipeline" => Some(Self::Traces),
            "LogPipeline" => Some(Self::Logs),
            _ => None,
        }
    }

    /// The signal in OTLP URLs: `metrics`, `traces` or `logs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    /// The kind of the pipeline.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Metrics => "MetricPipeline",
            Self::Traces => "TracePipeline",
            Self::Logs => "LogPipeline",
        }
    }
}
