//! The only file that knows waPC: the entry point that a Kubewarden host calls, and the three functions behind it.
//!
//! `wapc-guest` does the same with a hash map of handlers behind a lock, which are 22 kB more (see
//! `docs/decisions/0008-own-guest.md`). The protocol is small: the host says how long operation and payload are, hands
//! them over, and takes one answer or error.

use lol_alloc::{AssumeSingleThreaded, LeakingAllocator};

use crate::protocol;

/// Every request gets an instance of its own, which is thrown away with its memory: freeing would be work for nothing.
#[expect(unsafe_code, reason = "a policy's instance has one thread")]
#[global_allocator]
// SAFETY: nothing in a waPC guest can start a second thread.
static ALLOCATOR: AssumeSingleThreaded<LeakingAllocator> =
    unsafe { AssumeSingleThreaded::new(LeakingAllocator::new()) };

#[expect(unsafe_code, reason = "functions of the host")]
#[link(wasm_import_module = "wapc")]
unsafe extern "C" {
    fn __guest_request(operation: *mut u8, payload: *mut u8);
    fn __guest_response(answer: *const u8, length: usize);
    fn __guest_error(message: *const u8, length: usize);
}

/// Called by the host for each request: 1 with an answer, 0 with an error.
#[expect(unsafe_code, reason = "waPC finds its entry point by this symbol, and hands bytes over by pointer")]
#[unsafe(no_mangle)]
extern "C" fn __guest_call(operation_length: usize, payload_length: usize) -> i32 {
    let mut operation = Vec::with_capacity(operation_length);
    let mut payload = Vec::with_capacity(payload_length);
    // SAFETY: the host writes as many bytes to each place as it has announced; there is room for them, and they are
    // there afterwards.
    unsafe {
        __guest_request(operation.as_mut_ptr(), payload.as_mut_ptr());
        operation.set_len(operation_length);
        payload.set_len(payload_length);
    }
    let answer = match operation.as_slice() {
        b"validate" => protocol::validate(&payload),
        b"validate_settings" => protocol::validate_settings(&payload),
        b"protocol_version" => b"\"v1\"".to_vec(),
        _ => {
            let message = "there is no such function";
            // SAFETY: the host reads a text of this length.
            unsafe { __guest_error(message.as_ptr(), message.len()) };
            return 0;
        }
    };
    // SAFETY: the host reads an answer of this length, before anything here is freed.
    unsafe { __guest_response(answer.as_ptr(), answer.len()) };
    1
}
