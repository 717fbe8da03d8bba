"""The page's own style and script; its policy allows these two by their hashes, and nothing else."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;
max-width:80rem;margin:1.5rem auto;padding:0 1rem;color:#222}
h1{margin:.2rem 0}h2{margin:2rem 0 .3rem}
.verdict{padding:.6rem 1rem;border-radius:.4rem;color:#fff;font-size:1.3rem;
font-weight:600;overflow-wrap:anywhere}
.pass{background:#2f7d4f}.fail{background:#b3261e}.inconclusive{background:#8a5a00}
.badge{display:inline-block;border-radius:.7rem;padding:0 .5rem;font-size:12px;
color:#fff;background:#777;margin-right:.3rem}
.wide .badge{white-space:nowrap}
.badge.fail{background:#b3261e}.badge.pass{background:#2f7d4f}.badge.inconclusive{background:#8a5a00}
table{border-collapse:collapse;margin:.5rem 0 1rem;max-width:100%}
td,th{border-bottom:1px solid #ddd;padding:.15rem .6rem;text-align:left;vertical-align:top;
overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap}.quiet{color:#666;font-size:13px}
.wide{overflow-x:auto}.wide td,.wide th{overflow-wrap:normal}
.wide .signature{font-size:12px;color:#666;min-width:13rem;max-width:22rem;overflow-wrap:anywhere}
svg.interval{width:160px;height:20px}svg.shares{width:100%;max-width:620px;font-size:12px}
figure{margin:0 0 1rem;max-width:40rem}figcaption{font-weight:600}
figure svg{width:100%;height:auto;font-size:12px}
summary{cursor:pointer}
.turn{border:1px solid #ddd;border-radius:.4rem;margin:.8rem 0;padding:.5rem .8rem}
.turn h3{font-size:15px;margin:0 0 .3rem}
.both{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}
@media(max-width:45rem){.both{grid-template-columns:1fr}}
.said{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate;
background:#f6f6f6;border-radius:.3rem;padding:.3rem .5rem}
.said.user{background:#eef4fb}.both>div>.said,.one>div>.said{margin:.3rem 0}
.one{max-width:50rem}.none{color:#b3261e;font-style:italic}
mark{background:#ffe28a}.filters label{margin-right:1rem;white-space:nowrap}select{max-width:11rem}
[hidden]{display:none}
"""

SCRIPT = """
"use strict";
const turns = [...document.querySelectorAll(".turn")];
const filters = [...document.querySelectorAll("[data-filter]")];
const count = document.getElementById("count");
function fits(turn, filter) {
  if (filter.type === "checkbox") return !filter.checked || turn.dataset.failed === "1";
  if (!filter.value) return true;
  return JSON.parse(turn.dataset[filter.dataset.filter]).includes(filter.value);
}
function apply() {
  let shown = 0;
  for (const turn of turns) {
    turn.hidden = !filters.every((filter) => fits(turn, filter));
    shown += turn.hidden ? 0 : 1;
  }
  count.textContent = shown + " of " + turns.length + " " + count.dataset.what;
}
for (const filter of filters) filter.addEventListener("change", apply);
apply();
"""


def policy() -> str:
    """The Content-Security-Policy of the page: no network, no other script, no other style."""
    allowed = f"style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
