//! Counts what a waPC module does: instructions, as wasmtime's fuel (one unit an instruction, the same on every
//! machine), and the memory that it ends with.

use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Memory, Module, Store};

/// A compiled module whose instructions are counted.
pub struct Counted {
    module: Module,
    linker: Linker<Call>,
}

/// What one call cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Instructions: a new instance's start, `wapc_init` and the call.
    pub instructions: u64,
    /// Memory at the end, in pages of 64 KiB.
    pub pages: u64,
    /// The module's answer.
    pub answer: Vec<u8>,
    /// How often it asked the host.
    pub asked: usize,
}

/// The two sides of a waPC call.
#[derive(Default)]
struct Call {
    operation: Vec<u8>,
    payload: Vec<u8>,
    answer: Vec<u8>,
    asked: usize,
}

/// What the host answers to every call: a Secret that is in order, with the metadata that comes along.
const SECRET: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"dynakube","namespace":"dynatrace","uid":"5c0b7f3e-1d5e-4b57-9f0b-6d1c6e0a2b11","resourceVersion":"42","creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[{"manager":"kubectl","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:apiurl":{},"f:dataIngestToken":{}}}}]},"data":{"apiurl":"aHR0cHM6Ly9hYmMxMjM0NS5saXZlLmR5bmF0cmFjZS5jb20vYXBp","dataIngestToken":"ZHQwYzAxLkEuQg=="},"type":"Opaque"}"#;

const FUEL: u64 = u64::MAX / 2;

impl Counted {
    /// Compiles a module.
    ///
    /// # Errors
    /// Where the module is invalid, or asks for a function that waPC does not have.
    pub fn load(wasm: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("wapc", "__guest_request", |mut caller: Caller<'_, Call>, operation: u32, payload: u32| {
            let memory = memory(&mut caller)?;
            let (bytes, call) = memory.data_and_store_mut(&mut caller);
            write(bytes, operation, &call.operation)?;
            write(bytes, payload, &call.payload)
        })?;
        let answer = |mut caller: Caller<'_, Call>, start: u32, length: u32| -> wasmtime::Result<()> {
            let memory = memory(&mut caller)?;
            let (bytes, call) = memory.data_and_store_mut(&mut caller);
            let answer = bytes.get(start as usize..).and_then(|bytes| bytes.get(..length as usize));
            call.answer = answer.ok_or_else(|| wasmtime::Error::msg("an answer outside of the memory"))?.to_vec();
            Ok(())
        };
        linker.func_wrap("wapc", "__guest_response", answer)?;
        linker.func_wrap("wapc", "__guest_error", answer)?;
        add_host_calls(&mut linker)?;
        let module = Module::new(&engine, wasm)?;
        // What else waPC offers, neither policy uses: whoever calls it, traps.
        linker.define_unknown_imports_as_traps(&module)?;
        Ok(Self { module, linker })
    }

    /// Calls a waPC function in a new instance.
    ///
    /// # Errors
    /// Where the module traps.
    pub fn call(&self, operation: &str, payload: &[u8]) -> wasmtime::Result<Cost> {
        let call = Call { operation: operation.as_bytes().to_vec(), payload: payload.to_vec(), ..Call::default() };
        let mut store = Store::new(self.module.engine(), call);
        store.set_fuel(FUEL)?;
        let instance = self.linker.instantiate(&mut store, &self.module)?;
        for start in ["_start", "_initialize", "wapc_init"] {
            if let Ok(function) = instance.get_typed_func::<(), ()>(&mut store, start) {
                function.call(&mut store, ())?;
            }
        }
        let lengths = (i32::try_from(operation.len())?, i32::try_from(payload.len())?);
        let call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "__guest_call")?;
        call.call(&mut store, lengths)?;
        let pages = pages(&instance, &mut store);
        let instructions = FUEL - store.get_fuel()?;
        let Call { answer, asked, .. } = std::mem::take(store.data_mut());
        Ok(Cost { instructions, pages, answer, asked })
    }
}

/// `__host_call` says that an answer waits, and the two others hand it over.
fn add_host_calls(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    // Binding, namespace, operation and payload, each with its length.
    let call = |mut caller: Caller<'_, Call>, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| -> u32 {
        caller.data_mut().asked += 1;
        1
    };
    linker.func_wrap("wapc", "__host_call", call)?;
    linker
        .func_wrap("wapc", "__host_response_len", || -> wasmtime::Result<u32> { Ok(u32::try_from(SECRET.len())?) })?;
    linker.func_wrap("wapc", "__host_response", |mut caller: Caller<'_, Call>, place: u32| {
        let memory = memory(&mut caller)?;
        write(memory.data_mut(&mut caller), place, SECRET.as_bytes())
    })?;
    Ok(())
}

fn pages(instance: &Instance, store: &mut Store<Call>) -> u64 {
    instance.get_memory(&mut *store, "memory").map_or(0, |memory| memory.size(&*store))
}

fn memory(caller: &mut Caller<'_, Call>) -> wasmtime::Result<Memory> {
    caller.get_export("memory").and_then(Extern::into_memory).ok_or_else(|| wasmtime::Error::msg("no memory"))
}

fn write(memory: &mut [u8], start: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    let place = memory.get_mut(start as usize..).and_then(|memory| memory.get_mut(..bytes.len()));
    place.ok_or_else(|| wasmtime::Error::msg("a place outside of the memory"))?.copy_from_slice(bytes);
    Ok(())
}
