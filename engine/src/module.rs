//! A compiled module, and calls into fresh instances of it.

use std::time::Duration;

use kyma_dynatrace_admission::{Answerer, CallError, HostCall};
use wapc::WapcHost;
use wasmtime_provider::{EpochDeadlines, WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::error::LoadError;

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
        let engine = engine(&config())?;
        let module = wasmtime::Module::new(&engine, wasm).map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        Self::link(engine, module)
    }

    /// Takes what [`precompile`] has made, which is a hundred times quicker than compiling.
    ///
    /// # Errors
    /// Where it was made by another version of the engine, or for another processor: compile the module then.
    ///
    /// # Safety
    /// The bytes have to be what [`precompile`] has made. They hold machine code, which is run.
    #[allow(unsafe_code, reason = "the caller knows where the bytes are from")]
    pub unsafe fn load_precompiled(precompiled: &[u8]) -> Result<Self, LoadError> {
        let engine = engine(&config())?;
        // SAFETY: the caller's word; version and processor are checked by wasmtime.
        let module = unsafe { wasmtime::Module::deserialize(&engine, precompiled) };
        Self::link(engine, module.map_err(|error| LoadError::Invalid(format!("{error:#}")))?)
    }

    fn link(engine: wasmtime::Engine, module: wasmtime::Module) -> Result<Self, LoadError> {
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

    /// A new instance, as policy-server makes one for each request, with a host that grants nothing but logging.
    ///
    /// # Errors
    /// Where the module traps as it starts.
    pub fn instance(&self) -> Result<Instance, CallError> {
        self.instance_with(None)
    }

    /// A new instance with somebody to answer its host calls.
    ///
    /// # Errors
    /// Where the module traps as it starts.
    pub fn instance_with(&self, answerer: Option<Answerer>) -> Result<Instance, CallError> {
        let provider = self.pre.rehydrate(Some(DEADLINES)).map_err(|error| CallError::Guest(error.to_string()))?;
        let callback = move |_: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            answer(answerer.as_ref(), &HostCall { binding, namespace, operation, payload })
        };
        let host = WapcHost::new(Box::new(provider), Some(Box::new(callback))).map_err(call_error)?;
        Ok(Instance { host })
    }
}

impl kyma_dynatrace_admission::Module for Module {
    fn call(&self, function: &str, payload: &[u8], answerer: Option<&Answerer>) -> Result<Vec<u8>, CallError> {
        self.instance_with(answerer.cloned())?.call(function, payload)
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

/// Compiles a module ahead of time, for [`Module::load_precompiled`].
///
/// `target` is a triple as Rust has it, such as `x86_64-unknown-linux-gnu`. The machine code asks for no more than every
/// processor of that family has.
///
/// # Errors
/// Where the bytes are no module, or the target is not known to this build.
pub fn precompile(wasm: &[u8], target: &str) -> Result<Vec<u8>, LoadError> {
    let mut config = config();
    config.target(target).map_err(|error| LoadError::Engine(error.to_string()))?;
    engine(&config)?.precompile_module(wasm).map_err(|error| LoadError::Invalid(format!("{error:#}")))
}

fn config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    config
}

fn engine(config: &wasmtime::Config) -> Result<wasmtime::Engine, LoadError> {
    wasmtime::Engine::new(config).map_err(|error| LoadError::Engine(error.to_string()))
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

/// Answers what a policy asks its host. It may always log.
fn answer(
    answerer: Option<&Answerer>,
    call: &HostCall<'_>,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    match (call.binding, call.namespace, call.operation, answerer) {
        ("kubewarden", "tracing", "log", _) => Ok(Vec::new()),
        (.., Some(answerer)) => answerer(call).map_err(Into::into),
        (_, namespace, operation, None) => {
            Err(format!("host capability {namespace}/{operation} is not available").into())
        }
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
    use std::sync::Arc;

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
    #[allow(unsafe_code, reason = "the bytes come from `precompile`, or are damaged where the engine looks first")]
    fn takes_what_was_compiled_ahead_and_refuses_what_another_version_made() {
        let wasm = br#"(module (import "wapc" "__guest_response" (func $answer (param i32 i32)))
            (memory (export "memory") 1) (data (i32.const 0) "{}")
            (func (export "__guest_call") (param i32 i32) (result i32)
                (call $answer (i32.const 0) (i32.const 2)) i32.const 1))"#;
        let target = format!("{}-unknown-{}-gnu", std::env::consts::ARCH, std::env::consts::OS);
        let target = if cfg!(target_os = "macos") { "aarch64-apple-darwin".to_owned() } else { target };
        let mut precompiled = precompile(wasm, &target).unwrap();
        let module = unsafe { Module::load_precompiled(&precompiled) }.unwrap();
        assert_eq!(module.call("validate", b"{}").unwrap(), b"{}");
        // A memory, or machine code, is nothing to print.
        assert_eq!(format!("{module:?} {:?}", module.instance().unwrap()), "Module Instance");
        // The engine's version, with its length in front.
        let at = precompiled.windows(3).position(|window| window == b"\x0248").unwrap();
        precompiled[at + 2] = b'7';
        assert!(matches!(unsafe { Module::load_precompiled(&precompiled) }, Err(LoadError::Invalid(_))));
        assert!(matches!(precompile(wasm, "nonsense"), Err(LoadError::Engine(_))));
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

    // Asks for kubewarden/kubernetes/list, and returns the host's error as its own.
    const ASKS: &str = "(drop (call $host (i32.const 0) (i32.const 10) (i32.const 10) (i32.const 10) \
            (i32.const 20) (i32.const 4) (i32.const 0) (i32.const 0))) \
            (call $get (i32.const 64)) (call $error (i32.const 64) (call $len)) i32.const 0";

    #[test]
    fn refuses_host_capabilities() {
        let error = module(ASKS).call("validate", b"{}").unwrap_err();
        assert!(error.to_string().contains("kubernetes/list is not available"), "{error}");
    }

    #[test]
    fn hands_host_calls_to_whoever_answers_them() {
        let answerer: Answerer = Arc::new(|call| {
            let HostCall { binding, namespace, operation, payload } = call;
            Err(format!("{binding} {namespace} {operation} {}", payload.len()))
        });
        let instance = module(ASKS).instance_with(Some(answerer)).unwrap();
        assert_eq!(instance.call("validate", b"{}"), Err(CallError::Guest("kubewarden kubernetes list 0".to_owned())));
    }

    #[test]
    fn interrupts_a_module_whose_host_was_too_slow() {
        let answerer: Answerer = Arc::new(|_| {
            std::thread::sleep(TICK * 3);
            Err("late".to_owned())
        });
        // A host call is not interrupted; the module is, as soon as it goes on.
        let body = format!("{} (loop) ", ASKS.trim_end_matches("i32.const 0")) + "i32.const 0";
        let instance = module(&body).instance_with(Some(answerer)).unwrap();
        assert_eq!(instance.call("validate", b"{}"), Err(CallError::Timeout));
    }
}
