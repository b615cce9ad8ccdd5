"""The page's stylesheet: system fonts, one column, colours for light and dark screens."""

STYLESHEET = """
:root {
  color-scheme: light dark;
  --paper: #f7f8fa; --card: #ffffff; --ink: #1f2933; --muted: #5b6773; --line: #dde3e9;
  --accent: #0b5fa5; --met: #0a7a4f; --short: #b3400a; --plate: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --card: #1d2329; --ink: #e4e9ee; --muted: #9aa7b4; --line: #323b45;
    --accent: #7db9ee; --met: #5fd0a0; --short: #f0a070; --plate: #ffffff;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { margin: 0 0 .5rem; font-size: clamp(1.5rem, 4vw, 2.2rem); line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0 0 .75rem; font-size: 1.3rem; line-height: 1.3; }
h2 a { color: inherit; text-decoration: none; }
h2 a:hover::after { content: " #"; color: var(--muted); }
p { margin: 0 0 .9rem; max-width: 46rem; }
header p { color: var(--muted); font-size: 1.05rem; }
a { color: var(--accent); }
code {
  font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere;
}
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: .75rem;
  margin: 1.25rem 0; padding: 0; list-style: none;
}
.tiles li {
  display: flex; flex-direction: column; gap: .15rem; padding: .8rem .95rem; background: var(--card);
  border: 1px solid var(--line); border-left: 4px solid var(--muted); border-radius: .5rem;
}
.tiles .met { border-left-color: var(--met); }
.tiles .short { border-left-color: var(--short); }
.tiles .name { color: var(--muted); font-size: .85rem; }
.tiles .value { font-size: 1.6rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles small { font-size: .9rem; font-weight: 400; color: var(--muted); }
.tiles .spread, .tiles .goal, .tiles .note { font-size: .82rem; color: var(--muted); }
.tiles b { white-space: nowrap; }
.tiles .met b { color: var(--met); }
.tiles .short b { color: var(--short); }
nav ul {
  display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 0 0 1.5rem; padding: 0; list-style: none;
  font-size: .92rem;
}
section {
  margin: 0 0 1.25rem; padding: 1.25rem clamp(.8rem, 3vw, 1.5rem); background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; scroll-margin-top: 1rem;
}
figure { margin: 1rem 0 1.5rem; }
.plate {
  overflow-x: auto; padding: .6rem; background: var(--plate); border: 1px solid var(--line); border-radius: .4rem;
}
.plate img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { margin-top: .5rem; max-width: 50rem; font-size: .9rem; color: var(--muted); }
figcaption .source { display: block; margin-top: .2rem; font-size: .82rem; }
.table { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: .88rem; }
caption { padding-bottom: .4rem; text-align: left; color: var(--muted); }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; white-space: nowrap; }
thead th:empty { padding: 0; border: 0; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin: .5rem 0 1rem; }
summary { cursor: pointer; color: var(--accent); margin-bottom: .5rem; }
@media (prefers-color-scheme: dark) { .plate { filter: brightness(.9); } }
@media (max-width: 40rem) { .plate img { max-width: max(100%, 36rem); } }
@media print {
  body { max-width: none; background: none; }
  section { break-inside: avoid; border: 0; padding: 0; }
  nav { display: none; }
}
"""
"""CSS of the page; it names no file and no address."""
