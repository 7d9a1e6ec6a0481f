//! The policy's module, which the page's script runs.

use js_sys::Function;
use kyma_dynatrace_admission::{Answerer, CallError, HostCall, Module};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// The script's function that calls the module.
#[derive(Clone, Copy)]
pub(crate) struct JsModule<'a>(pub(crate) &'a Function);

impl Module for JsModule<'_> {
    fn call(&self, function: &str, payload: &[u8], answerer: Option<&Answerer>) -> Result<Vec<u8>, CallError> {
        let nobody = JsValue::NULL;
        let look_up = answerer.cloned().map(look_up);
        let look_up = look_up.as_ref().map_or(&nobody, |closure| closure.as_ref());
        let payload = String::from_utf8_lossy(payload);
        match self.0.call3(&nobody, &function.into(), &(*payload).into(), look_up) {
            Ok(answer) => {
                answer.as_string().map(String::into_bytes).ok_or_else(|| CallError::Answer("no text".to_owned()))
            }
            Err(error) => {
                Err(CallError::Guest(error.as_string().unwrap_or_else(|| "the module could not be run".to_owned())))
            }
        }
    }
}

type LookUp = dyn Fn(String, String, String, String) -> Result<String, JsValue>;

/// The answerer as a function of the script's.
fn look_up(answerer: Answerer) -> Closure<LookUp> {
    Closure::new(move |binding: String, namespace: String, operation: String, payload: String| {
        let (binding, namespace, operation) = (&*binding, &*namespace, &*operation);
        let answer = answerer(&HostCall { binding, namespace, operation, payload: payload.as_bytes() });
        let answer = answer.map_err(|message| JsValue::from_str(&message))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    })
}
