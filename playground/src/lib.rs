//! The page's side of a review. The verdict comes from the policy's own module, which the page runs beside this one; here is
//! what the command does around it: reading YAML, making requests, placing findings, writing repairs.
//!
//! Layers, lowest first; each imports from those before it alone:
//! declare, exchange, js_module, page.

mod declare;
mod exchange;
mod js_module;
mod page;

use wasm_bindgen::prelude::wasm_bindgen;

/// Checks what is in the panes: `input` and the result are the JSON of [`exchange`].
///
/// `ask(function, payload, lookUp)` calls a waPC function of the policy in a new instance, and gives its answer as a text, or
/// throws one. Host calls of the policy go to `lookUp(binding, namespace, operation, payload)`, which does the same.
#[wasm_bindgen]
#[must_use]
pub fn check(input: &str, ask: &js_sys::Function) -> String {
    let result = match serde_json::from_str(input) {
        Ok(input) => page::check(&input, js_module::JsModule(ask)),
        Err(_) => exchange::Output { unreadable: Some("the page has sent no input".to_owned()), ..Default::default() },
    };
    // Its keys are strings and its numbers whole, so that there is nothing to fail.
    serde_json::to_string(&result).unwrap_or_default()
}
