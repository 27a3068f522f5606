/** The page's style sheet. Colours are variables, once for light and once for dark; charts use the same ones. */
export const STYLE = `
:root {
  --paper: #fbfaf7; --surface: #ffffff; --ink: #22252b; --muted: #6d717a; --rule: #dedbd3;
  --accent: #2a62a8; --blend: #b4541a; --warn: #8a5a00;
  --series-1: #2a62a8; --series-2: #b4541a; --series-3: #2f7d59; --series-4: #86489a; --series-5: #96770c; --series-6: #a8385b;
  --answer-1: #3f73b5; --answer-2: #d08a3c; --answer-3: #5f9e79; --answer-4: #a66fb0; --answer-5: #b9a23a; --answer-6: #c06478; --answer-7: #8a8f98;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0e1116; --surface: #151a21; --ink: #e3e6ea; --muted: #939ba6; --rule: #2a313b;
    --accent: #7db0ee; --blend: #eb9a5f; --warn: #e0b25c;
    --series-1: #7db0ee; --series-2: #eb9a5f; --series-3: #78c79c; --series-4: #cf97dd; --series-5: #d9bd5a; --series-6: #ee8ba6;
    --answer-1: #5f94d8; --answer-2: #d99a54; --answer-3: #67ad86; --answer-4: #b482be; --answer-5: #c4ae4c; --answer-6: #cd7388; --answer-7: #7f8792;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 56px 40px 96px; }
h1, h2 { font-family: "Iowan Old Style", Charter, "Source Serif 4", Cambria, "Liberation Serif", serif; font-weight: 500; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 44px; margin: 4px 0 24px; letter-spacing: -0.01em; }
h2 { font-size: 28px; margin: 0 0 12px; }
h3 { font-size: 15px; font-weight: 600; margin: 28px 0 12px; }
p { max-width: 68ch; margin: 0 0 16px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font: 13px/1.6 ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { margin: 0; padding: 16px; background: var(--surface); border: 1px solid var(--rule); border-radius: 6px; white-space: pre-wrap; }
pre code { display: block; padding-left: 2em; text-indent: -2em; }
pre code + code { margin-top: 4px; }
section[id] { padding-top: 56px; }
figure { margin: 0 0 16px; }
.kicker { color: var(--muted); font-size: 14px; margin: 0; }
.lead { color: var(--ink); }
.small { font-size: 13px; color: var(--muted); }
.missing { color: var(--warn); border-left: 2px solid currentColor; padding-left: 12px; }
.strip { display: flex; gap: 4px; margin: 0 0 24px; overflow: hidden; border-radius: 6px; }
.strip img { flex: 1 1 0; min-width: 64px; width: 64px; height: auto; aspect-ratio: 1; object-fit: cover; display: block; background: #000; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 32px; margin: 32px 0; padding: 20px 0; border: solid var(--rule); border-width: 1px 0; }
.figure { max-width: 260px; }
.figure dt { color: var(--muted); font-size: 14px; }
.figure dd { margin: 0; font-size: 34px; line-height: 1.3; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.figure.last dt + dd { color: var(--accent); }
.figures .note { font-size: 13px; line-height: 1.4; color: var(--muted); margin: 2px 0 10px; min-height: 2.8em; letter-spacing: 0; }
.figure .meter { height: 3px; font-size: 0; background: var(--rule); border-radius: 2px; }
.meter::after { content: ""; display: block; height: 100%; width: calc(100% * var(--share)); background: var(--muted); border-radius: 2px; }
.last .meter::after { background: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; }
svg.plot { display: block; height: auto; max-width: 100%; overflow: visible; font-family: inherit; font-size: 12px; }
svg.plot text { white-space: pre; }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; margin: 0 0 8px; }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 7px; vertical-align: middle; border-radius: 2px; }
.key { white-space: nowrap; }
.key i { display: inline-block; vertical-align: middle; }
.dot { width: 11px; height: 11px; border-radius: 50%; background: var(--accent); }
.ring { width: 10px; height: 10px; border-radius: 50%; border: 1.5px solid var(--muted); }
.dash { width: 0; height: 14px; border-left: 2px dashed var(--blend); margin: 0 4px; }
.legend .thick, .legend .thin { width: 26px; border-radius: 0; background: linear-gradient(90deg, var(--answer-1) 60%, var(--answer-2) 60%); }
.legend .thick { height: 9px; } .legend .thin { height: 5px; }
.scroll { overflow-x: auto; margin: 0 0 16px; }
table { border-collapse: collapse; min-width: min(100%, 560px); font-size: 14px; line-height: 1.45; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; }
thead th { color: var(--muted); font-size: 13px; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
th, td { padding: 5px 16px 5px 0; white-space: nowrap; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--rule) 55%, transparent); }
.n { text-align: right; }
thead .bar-column { text-align: left; }
.wrap { white-space: normal; min-width: 200px; }
tr.chosen td { font-weight: 600; }
.number { display: inline-block; text-indent: 0; color: var(--muted); font-weight: 400; min-width: 1.6em; }
.answers { width: 100%; }
.answers .question > * { padding-top: 20px; font-weight: 600; white-space: normal; }
.answers .question th { padding-left: 1.6em; text-indent: -1.6em; }
.answers tr.question + tr > * { border-top: 0; }
.answers tr:not(.question) td:first-child { padding-left: 1.6em; }
.bar-column { width: 34%; min-width: 110px; }
.bar { display: block; position: relative; height: 21px; }
.bar::before { content: ""; position: absolute; left: 0; top: 7px; height: 7px; width: var(--model); background: var(--accent); border-radius: 0 2px 2px 0; }
.bar::after { content: ""; position: absolute; left: var(--baseline); top: 4px; height: 13px; border-left: 2px solid var(--muted); }
.recipe .wrap { min-width: 0; }
.recipe th { color: var(--muted); font-weight: 400; }
details { border-top: 1px solid var(--rule); padding: 10px 0; }
details[open] summary { margin-bottom: 12px; }
summary { cursor: pointer; }
.densities { display: flex; flex-wrap: wrap; gap: 12px 32px; }
.densities h3 { margin: 8px 0; }
.densities .number { min-width: 0; margin-right: 0.5em; }
.densities section > div { display: flex; flex-wrap: wrap; gap: 12px; }
.densities figure { width: 118px; margin: 0; }
.densities svg.plot { width: 118px; background: var(--surface); }
.densities figcaption { font-size: 12px; line-height: 1.4; display: flex; justify-content: space-between; gap: 4px; margin-top: 4px; }
.densities figcaption span { color: var(--muted); font-variant-numeric: tabular-nums; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(155px, 1fr)); gap: 20px 24px; margin: 0 0 16px; }
.curves figure { margin: 0; }
.curves svg.plot, .turned svg.plot { width: 100%; }
.curves figcaption { display: flex; justify-content: space-between; gap: 8px; font-size: 13px; margin-bottom: 4px; }
.curves strong { font-weight: 500; white-space: nowrap; }
.curves .number { min-width: 0; margin-right: 0.5em; }
.curves figcaption span:last-child { color: var(--muted); white-space: nowrap; }
.judged { width: 100%; }
.judged th[scope] { font-weight: 600; padding-left: 1.8em; text-indent: -1.8em; }
.judged .number { min-width: 1.8em; }
.judged tr + tr > * { border-top: 0; padding-top: 0; padding-bottom: 10px; }
.judged .small { padding-left: 1.8em; }
.extremes { min-width: 0; }
.extremes tbody th { color: var(--muted); font-weight: 400; }
.legend .volunteers { height: 7px; background: var(--answer-1); border-radius: 0; }
.legend .network { height: 4px; background: var(--answer-2); border-radius: 0; }
.legend .dashed { height: 0; border-top: 2px dashed var(--muted); border-radius: 0; }
.mistakes, .turned { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px; margin: 0 0 16px; }
.mistake, .turned figure { display: flex; gap: 14px; padding: 12px; margin: 0; background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; }
.mistake > img, .turned img { width: 112px; height: 112px; flex: none; border-radius: 4px; background: #000; }
.mistake > div, .turned figure > div { flex: 1 1 0; min-width: 0; }
.mistake .name, .turned figcaption { font-size: 13px; line-height: 1.4; margin: 0 0 6px; color: var(--muted); }
.mistake strong, .turned strong { color: var(--ink); font-variant-numeric: tabular-nums; }
.mistake .answer p { display: flex; justify-content: space-between; gap: 8px; margin: 6px 0 3px; font-size: 13px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.mistake .answer span { color: var(--muted); white-space: nowrap; }
.mistake .answer i { display: block; width: max(1px, var(--share)); border-radius: 0 2px 2px 0; }
.mistake .volunteers { height: 7px; background: var(--answer-1); margin-bottom: 2px; }
.mistake .network { height: 4px; background: var(--answer-2); }
.filters { display: flex; flex-wrap: wrap; gap: 6px; }
.filters img { width: 44px; height: 44px; image-rendering: pixelated; border-radius: 2px; }
.units { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 20px 16px; }
.units figure { margin: 0; }
.units figure > div { display: grid; grid-template: repeat(3, 1fr) / 112px 36px; gap: 2px 4px; height: 112px; }
.units .most { grid-row: span 3; width: 112px; height: 112px; border-radius: 4px; background: #000; }
.units img:not(.most) { width: 36px; height: 36px; border-radius: 3px; background: #000; }
.units figcaption { font-size: 12px; line-height: 1.4; margin-top: 6px; color: var(--muted); max-width: 152px; }
.units strong { color: var(--ink); font-weight: 500; }
.pair { display: flex; flex-wrap: wrap; gap: 0 56px; }
.pair > div { flex: 1 1 400px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(460px, 1fr)); gap: 20px; }
.card { display: flex; gap: 16px; padding: 16px; background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; }
.portrait { flex: 0 0 112px; font-size: 13px; line-height: 1.5; }
.portrait img { width: 112px; height: 112px; border-radius: 4px; display: block; background: #000; margin-bottom: 8px; }
.portrait p { margin: 0 0 6px; font-variant-numeric: tabular-nums; }
.portrait dl { margin: 0; font-size: 12px; line-height: 1.4; font-variant-numeric: tabular-nums; }
.portrait dt { color: var(--muted); }
.portrait dd { margin: 0 0 5px; }
svg.tree { flex: 1 1 0; min-width: 0; align-self: flex-start; font-size: 10px; }
.tree text { fill: var(--ink); }
.tree .question { font-size: 11.5px; }
.tree .answer { font-size: 9px; fill: var(--muted); }
.tree .branch { fill: none; stroke: var(--rule); }
${Array.from({ length: 7 }, (_, k) => `.answer-${k + 1} { fill: var(--answer-${k + 1}); }`).join("\n")}
@media (max-width: 720px) {
  main { padding: 28px 18px 64px; }
  h1 { font-size: 32px; margin-bottom: 18px; }
  h2 { font-size: 24px; }
  section[id] { padding-top: 44px; }
  .wide { display: none; }
  .narrow { display: block; }
  .figures { grid-template-columns: 1fr 1fr; gap: 20px; }
  .figure dd { font-size: 28px; }
  th, td { padding-right: 10px; }
  .bar-column { width: auto; min-width: 70px; }
  .answers .vote { display: none; }
  .answers th, .answers td { padding-right: 8px; white-space: normal; }
  .answers { font-size: 13px; }
  .judged { min-width: 0; font-size: 13px; }
  .judged .extra { display: none; }
  .judged th { white-space: normal; }
  td .small { display: block; }
  .pair > div { flex: 1 1 100%; }
  .gallery { grid-template-columns: 1fr; }
  .card { flex-direction: column; padding: 12px; }
  .portrait { display: grid; grid-template-columns: 112px 1fr; gap: 0 12px; flex: none; align-content: start; }
  .portrait img { grid-row: span 2; margin: 0; }
  svg.tree { width: 100%; flex: none; }
  .densities { gap: 12px 20px; }
  .densities figure, .densities svg.plot { width: 104px; }
}
`;
