//! A compiled module, and calls into fresh instances of it.

use std::time::Duration;

use wapc::WapcHost;
use wasmtime_provider::{EpochDeadlines, WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::error::{CallError, LoadError};

/// Epochs pass once a second, as in policy-server.
const TICK: Duration = Duration::from_secs(1);

/// Ticks that a call may take: policy-server's default `--policy-timeout` of two seconds.
const DEADLINES: EpochDeadlines = EpochDeadlines { wapc_init: 2, wapc_func: 2 };

/// A policy module, compiled and linked, ready to be called. Clones share the compiled code.
#[derive(Clone)]
pub struct Module {
    pre: WasmtimeEngineProviderPre,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Module")
    }
}

impl Module {
    /// Compiles a module and links it to waPC.
    ///
    /// # Errors
    /// Where the bytes are no module, or one that imports other functions than waPC's.
    pub fn load(wasm: &[u8]) -> Result<Self, LoadError> {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config).map_err(|error| LoadError::Engine(error.to_string()))?;
        let module = wasmtime::Module::new(&engine, wasm).map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        tick(&engine);
        let builder = WasmtimeEngineProviderBuilder::new().engine(engine).module(module);
        let pre = builder.build_pre().map_err(|error| LoadError::Unlinkable(format!("{error:#}")))?;
        Ok(Self { pre })
    }

    /// Calls a waPC function in a new instance, which is dropped afterwards.
    ///
    /// # Errors
    /// Where the module traps, returns an error or takes too long.
    pub fn call(&self, function: &str, payload: &[u8]) -> Result<Vec<u8>, CallError> {
        self.instance()?.call(function, payload)
    }

    /// A new instance, as policy-server makes one for each request.
    ///
    /// # Errors
    /// Where the module traps as it starts.
    pub fn instance(&self) -> Result<Instance, CallError> {
        let provider = self.pre.rehydrate(Some(DEADLINES)).map_err(|error| CallError::Guest(error.to_string()))?;
        let host = WapcHost::new(Box::new(provider), Some(Box::new(host_callback))).map_err(call_error)?;
        Ok(Instance { host })
    }
}

/// A module's instance, with a memory of its own.
pub struct Instance {
    host: WapcHost,
}

impl Instance {
    /// Calls a waPC function.
    ///
    /// # Errors
    /// Where the module traps, returns an error or takes too long.
    pub fn call(&self, function: &str, payload: &[u8]) -> Result<Vec<u8>, CallError> {
        self.host.call(function, payload).map_err(call_error)
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instance")
    }
}

/// Lets an engine's epochs pass for as long as the engine is used.
fn tick(engine: &wasmtime::Engine) {
    let engine = engine.weak();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { break };
            engine.increment_epoch();
        }
    });
}

/// Answers what a policy asks its host: it may log, and nothing else.
fn host_callback(
    _instance: u64,
    binding: &str,
    namespace: &str,
    operation: &str,
    _payload: &[u8],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    match (binding, namespace, operation) {
        ("kubewarden", "tracing", "log") => Ok(Vec::new()),
        _ => Err(format!("host capability {namespace}/{operation} is not available").into()),
    }
}

fn call_error(error: wapc::errors::Error) -> CallError {
    let text = match error {
        wapc::errors::Error::GuestCallFailure(text) => text,
        other => other.to_string(),
    };
    // The provider's own words for an epoch that has run out.
    if text.contains("deadline exceeded") { CallError::Timeout } else { CallError::Guest(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A waPC module whose `__guest_call` has this body.
    fn module(body: &str) -> Module {
        let wat = format!(
            r#"(module
                (import "wapc" "__guest_error" (func $error (param i32 i32)))
                (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
                (import "wapc" "__host_error_len" (func $len (result i32)))
                (import "wapc" "__host_error" (func $get (param i32)))
                (memory (export "memory") 1)
                (data (i32.const 0) "kubewardenkuberneteslist")
                (func (export "__guest_call") (param i32 i32) (result i32) {body}))"#
        );
        Module::load(wat.as_bytes()).unwrap()
    }

    #[test]
    fn rejects_bytes_that_are_no_module() {
        assert!(matches!(Module::load(b"nonsense"), Err(LoadError::Invalid(_))));
    }

    #[test]
    fn rejects_modules_that_need_more_than_wapc() {
        let wat = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#;
        assert!(matches!(Module::load(wat.as_bytes()), Err(LoadError::Unlinkable(_))));
    }

    #[test]
    fn reports_a_trap_as_a_guest_failure() {
        assert!(matches!(module("unreachable").call("validate", b"{}"), Err(CallError::Guest(_))));
    }

    #[test]
    fn interrupts_a_module_that_never_ends() {
        let endless = module("(loop br 0) i32.const 1");
        assert_eq!(endless.call("validate", b"{}"), Err(CallError::Timeout));
    }

    #[test]
    fn refuses_host_capabilities() {
        // Asks for kubewarden/kubernetes/list, and returns the host's error as its own.
        let body = "(drop (call $host (i32.const 0) (i32.const 10) (i32.const 10) (i32.const 10) \
            (i32.const 20) (i32.const 4) (i32.const 0) (i32.const 0))) \
            (call $get (i32.const 64)) (call $error (i32.const 64) (call $len)) i32.const 0";
        let error = module(body).call("validate", b"{}").unwrap_err();
        assert!(error.to_string().contains("kubernetes/list is not available"), "{error}");
    }
}
