// The page's end of the worker: one input at a time, the newest next, those between dropped.

/** A check that takes longer is given up. */
const PATIENCE = 20_000;

/**
 * Starts the worker.
 * @param {{ready: (about: {sha256: string, bytes: number}) => void, checked: (output: object, input: object) => void,
 *   failed: (message: string) => void}} told
 * @returns {(input: object) => void} checks an input
 */
export function reviewer(told) {
  // From a blob, so that the page's content policy holds in the worker too; a script of its own would have none.
  const script = `import ${JSON.stringify(new URL("worker.js", document.baseURI).href)};`;
  let worker = null;
  let waiting = null;
  let running = null;
  let timer = 0;

  const next = () => {
    if (running !== null || waiting === null || worker === null) return;
    running = waiting;
    waiting = null;
    worker.postMessage(running);
    timer = setTimeout(() => again("The check took too long, and was given up."), PATIENCE);
  };
  const again = (message) => {
    told.failed(message);
    clearTimeout(timer);
    worker?.terminate();
    worker = null;
    running = null;
    begin();
  };
  const begin = () => {
    const begun = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), { type: "module" });
    begun.onmessage = ({ data }) => {
      if (data.failed) return told.failed(`The policy could not be loaded: ${data.failed}`);
      if (data.ready) {
        worker = begun;
        told.ready(data.ready);
      } else {
        clearTimeout(timer);
        const input = running;
        running = null;
        performance.measure("check", { start: performance.now() - data.milliseconds, end: performance.now() });
        told.checked(data.output, input);
      }
      next();
    };
    begun.onerror = (event) => {
      event.preventDefault();
      // A worker that has never been ready would fail again.
      if (worker === begun) again("The check failed, and is begun anew.");
      else told.failed("The policy could not be loaded.");
    };
  };
  begin();
  return (input) => {
    waiting = input;
    next();
  };
}
