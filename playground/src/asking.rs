//! The policy's module, asked through the page.

use js_sys::Function;
use kyma_dynatrace_admission::{Answerer, HostCall};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// What runs the policy's module.
pub(crate) trait Module {
    /// Calls a waPC function in a new instance, whose host calls are answered by `answerer`; without one they are refused.
    ///
    /// # Errors
    /// What went wrong, in words that hold nothing of the payload.
    fn call(&self, function: &str, payload: &str, answerer: Option<&Answerer>) -> Result<String, String>;
}

/// The page runs it.
pub(crate) struct ByPage<'a>(pub(crate) &'a Function);

impl Module for ByPage<'_> {
    fn call(&self, function: &str, payload: &str, answerer: Option<&Answerer>) -> Result<String, String> {
        let nobody = JsValue::NULL;
        let look_up = answerer.cloned().map(look_up);
        let look_up = look_up.as_ref().map_or(&nobody, |closure| closure.as_ref());
        match self.0.call3(&nobody, &function.into(), &payload.into(), look_up) {
            Ok(answer) => answer.as_string().ok_or_else(|| "the module gave no text".to_owned()),
            Err(error) => Err(error.as_string().unwrap_or_else(|| "the module could not be run".to_owned())),
        }
    }
}

type LookUp = dyn Fn(String, String, String, String) -> Result<String, JsValue>;

/// The answerer as a function of the page's.
fn look_up(answerer: Answerer) -> Closure<LookUp> {
    Closure::new(move |binding: String, namespace: String, operation: String, payload: String| {
        let (binding, namespace, operation) = (&*binding, &*namespace, &*operation);
        let answer = answerer(&HostCall { binding, namespace, operation, payload: payload.as_bytes() });
        let answer = answer.map_err(|message| JsValue::from_str(&message))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    })
}
