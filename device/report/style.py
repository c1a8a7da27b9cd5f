"""How the report looks: light and dark, on a phone and on paper, with nothing from elsewhere."""

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--paper:#f6f7f9;--card:#fff;--line:#dfe4ea;--good:0,114,178;
--bad:213,94,0;--mark:#0072B2}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--paper:#12161c;--card:#1b2129;--line:#303945;
--good:86,180,233;--bad:230,125,40;--mark:#56B4E9}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:1080px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.9rem;line-height:1.2;margin:.2em 0}
h2{font-size:1.15rem;margin:0 0 .6em}
h3{font-size:1rem;margin:1.1em 0 .4em;display:flex;align-items:center;gap:.5em;flex-wrap:wrap}
p{margin:.4em 0}
.soft,figcaption,caption{color:var(--soft);font-size:.88rem}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin:16px 0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:16px;margin:16px 0}
.pair>section{margin:0;min-width:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:16px;margin:16px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 18px}
.tile b{display:block;font-size:2rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tile.first{border-color:var(--mark);box-shadow:inset 4px 0 0 var(--mark)}
.tile.first b{font-size:2.7rem}
.advice{border-left:5px solid var(--mark)}
.advice p:first-of-type{font-size:1.15rem;font-weight:600}
.wide{overflow-x:auto}
table{border-collapse:collapse;overflow-wrap:normal;font-variant-numeric:tabular-nums;font-size:.92rem}
caption{text-align:left;padding-bottom:.4em}
th,td{padding:5px 9px;text-align:right;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}
td{white-space:nowrap}
th{font-weight:600;color:var(--soft)}
tbody th{color:var(--ink)}
.confusion td{min-width:3em;text-align:center;border:1px solid var(--card)}
.strong{color:#fff}
@media (prefers-color-scheme:dark){.strong{color:#0d1116}}
.card td,.card th{text-align:left;vertical-align:top;white-space:normal}
.card td{overflow-wrap:anywhere}
.card th{white-space:nowrap;font-weight:600}
.shots{display:flex;flex-wrap:wrap;gap:8px}
.shots figure{margin:0;width:144px}
.shots svg{display:block;width:100%;height:auto;border-radius:6px}
.chart{display:block;width:100%;height:auto}
.chart text{fill:var(--soft);font-size:11.5px}
.grid{stroke:var(--line)}
.ideal{stroke:var(--ink);stroke-dasharray:5 4;stroke-width:1.4}
.ring{fill:none;stroke:var(--ink);stroke-width:1.6}
.key{width:14px;height:14px;flex:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin-top:8px;font-size:.9rem}
.legend span{display:inline-flex;align-items:center;gap:5px}
code{background:var(--paper);border:1px solid var(--line);border-radius:5px;padding:1px 5px;font-size:.86em;
overflow-wrap:anywhere}
@media (max-width:480px){.shots figure{width:calc(33.3% - 6px)}section{padding:14px}}
@media print{body{background:#fff;font-size:11pt}section,.tile{break-inside:avoid;border-color:#bbb}main{padding:0}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
