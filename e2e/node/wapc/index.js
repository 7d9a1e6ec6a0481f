// Stands in for the waPC host where the core's unit tests run inside wasm: the SDK links an entry point that imports
// these. No unit test calls the host; one that did would fail here.
const refuse = (name) => () => {
  throw new Error(`a unit test called ${name} of the host`);
};
module.exports = new Proxy({}, { get: (_, name) => refuse(String(name)) });
