// A waPC host for the policy, as policy-server is one: a new instance for each call, and nothing to ask for but what the page gives.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @typedef {(binding: string, namespace: string, operation: string, payload: string) => string} LookUp
 *   Answers a host call of the policy, or throws a text.
 * @typedef {(operation: string, payload: string, lookUp?: LookUp | null) => string} Ask
 *   Calls a waPC function of the policy; throws the policy's error, or that of the engine, as a text.
 */

/**
 * Compiles a waPC module.
 * @param {BufferSource} bytes the module, as it is deployed
 * @returns {Promise<Ask>}
 */
export async function load(bytes) {
  const module = await WebAssembly.compile(bytes);
  const others = WebAssembly.Module.imports(module).filter((wanted) => wanted.module !== "wapc");
  if (others.length > 0) throw new Error(`no policy: it imports ${others[0].module}/${others[0].name}`);
  return (operation, payload, lookUp) => {
    try {
      return call(module, operation, payload, lookUp ?? nobody);
    } catch (error) {
      throw typeof error === "string" ? error : `the module failed: ${error.message}`;
    }
  };
}

/** What the command says to a policy that looks at something where nothing is given. @type {LookUp} */
function nobody(_binding, namespace, operation) {
  throw `host capability ${namespace}/${operation} is not available`;
}

/**
 * @param {WebAssembly.Module} module
 * @param {string} operation
 * @param {string} payload
 * @param {LookUp} lookUp
 */
function call(module, operation, payload, lookUp) {
  const request = [operation, payload].map((text) => encoder.encode(text));
  let answer = "";
  let error = "";
  let hostAnswer = new Uint8Array();
  let hostError = new Uint8Array();
  // Taken anew each time: the memory may have grown.
  const memory = () => new Uint8Array(instance.exports.memory.buffer);
  const read = (at, length) => decoder.decode(memory().subarray(at, at + length));
  const write = (at, bytes) => memory().set(bytes, at);
  const hostCall = (binding, namespace, name, payload) => {
    // The policy may always log; nobody listens.
    if (`${binding}/${namespace}/${name}` === "kubewarden/tracing/log") return "";
    return lookUp(binding, namespace, name, payload);
  };
  const wapc = {
    __guest_request: (operationAt, payloadAt) => [operationAt, payloadAt].forEach((at, index) => write(at, request[index])),
    __guest_response: (at, length) => { answer = read(at, length); },
    __guest_error: (at, length) => { error = read(at, length); },
    __host_call: (...places) => {
      const [binding, namespace, name, payload] = [0, 2, 4, 6].map((at) => read(places[at], places[at + 1]));
      try {
        hostAnswer = encoder.encode(hostCall(binding, namespace, name, payload));
        return 1;
      } catch (error) {
        hostError = encoder.encode(String(error));
        return 0;
      }
    },
    __host_response_len: () => hostAnswer.length,
    __host_response: (at) => write(at, hostAnswer),
    __host_error_len: () => hostError.length,
    __host_error: (at) => write(at, hostError),
    __console_log: () => {},
  };
  const instance = new WebAssembly.Instance(module, { wapc });
  for (const start of ["_start", "wapc_init"]) instance.exports[start]?.();
  if (instance.exports.__guest_call(request[0].length, request[1].length) !== 1) throw error || "the module failed";
  return answer;
}
