// The editors: CodeMirror, with the page's colours, findings at their lines, and a diff.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.atom, tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: tags.string, color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)" },
  { tag: [tags.number, tags.keyword, tags.meta], color: "var(--number)" },
]);

// One theme for light and dark: the colours are the page's variables.
const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--back)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "3px solid var(--link)" },
  ".cm-scroller": { overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--panel)", borderRight: "1px solid var(--line)" },
  ".cm-tooltip, .cm-panels": { color: "var(--text)", backgroundColor: "var(--panel)", border: "1px solid var(--line)" },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "var(--back)" },
  ".cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--added) !important" },
  ".cm-deletedChunk": { backgroundColor: "var(--removed) !important" },
  ".cm-changedText": { background: "none !important", fontWeight: "600" },
  ".cm-deletedChunk .cm-deletedText": { background: "none !important", textDecoration: "line-through" },
  ".cm-collapsedLines": { color: "var(--faint)", background: "var(--panel)" },
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: "'…'" },
});

const common = (label) => [
  lineNumbers(),
  EditorView.lineWrapping,
  StreamLanguage.define(yaml),
  syntaxHighlighting(colours),
  theme,
  EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
];

/**
 * An editor for YAML.
 * @param {HTMLElement} parent
 * @param {string} label what a screen reader calls it
 * @param {() => void} changed called when somebody has changed the text
 */
export function editor(parent, label, changed) {
  const listener = EditorView.updateListener.of((update) => update.docChanged && changed());
  // Tab is not bound: it leads out of the editor.
  const keys = keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]);
  const view = new EditorView({ parent, extensions: [...common(label), history(), keys, lintGutter(), listener] });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    /** Marks places: `from` and `to`, or a `line` from 1. */
    mark(places) {
      const { doc } = view.state;
      const ends = ({ from, to, line }) => line ? doc.line(Math.min(line, doc.lines)) : { from, to };
      const inside = (place) => Math.min(place, doc.length);
      const diagnostics = places.map((place) => ({
        from: inside(ends(place).from), to: inside(ends(place).to), severity: place.severity, message: place.message,
      }));
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    /** Puts the cursor there. */
    go(from) {
      view.dispatch({ selection: { anchor: Math.min(from, view.state.doc.length) }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
  };
}

/**
 * A diff to read.
 * @param {HTMLElement} parent
 * @param {string} label what a screen reader calls it
 */
export function diff(parent, label) {
  let view = null;
  return {
    /** Shows it, or nothing where there is no `after`. */
    show(before, after) {
      view?.destroy();
      view = after === null ? null : new EditorView({
        parent,
        doc: after,
        extensions: [
          ...common(label),
          keymap.of(defaultKeymap),
          EditorState.readOnly.of(true),
          unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
        ],
      });
    },
  };
}
