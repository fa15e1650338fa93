"""What a program wrote for a terminal, as a page of HTML."""

import html
import re

# Colors of a terminal by the number in the escape sequence, as classes of the page.
CLASSES = {
    "1": "bold",
    "2": "dim",
    "31": "red",
    "32": "green",
    "33": "yellow",
    "38;5;9": "red",
    "38;5;10": "green",
    "38;5;11": "yellow",
}
# These end what came before.
ENDS = {"", "0", "39"}

STYLE = """
:root { color-scheme: light dark; --ground: light-dark(#ffffff, #10151c); --ink: light-dark(#1a222d, #dbe2ea);
  --quiet: light-dark(#5b6777, #8b97a7); --line: light-dark(#d5dbe3, #2b3440); }
body { margin: 0; background: var(--ground); color: var(--ink); }
pre { margin: 0; padding: 20px 24px 22px; border: 1px solid var(--line); white-space: pre-wrap;
  overflow-wrap: anywhere; font: 13px/1.5 "JetBrains Mono", "DejaVu Sans Mono", monospace; }
.line { display: block; min-height: 1lh; padding-inline-start: 16ch; text-indent: -16ch; }
.prompt { font-weight: 600; }
.prompt::before { content: "$ "; color: var(--quiet); font-weight: 400; }
.bold { font-weight: 700; }
.dim { color: var(--quiet); white-space: pre; }
.red { color: light-dark(#b0271f, #f5857c); }
.green { color: light-dark(#22754f, #55bd8d); }
.yellow { color: light-dark(#8a5000, #e3a94b); }
"""


def page(commands):
    """Commands and what they wrote."""
    lines = []
    for number, (command, output) in enumerate(commands):
        if number:
            lines.append("")
        lines.append(f'<span class="prompt">{html.escape(command)}</span>')
        lines += painted(output.strip("\n")).split("\n")
    drawn = "".join(f'<span class="line">{line}</span>' for line in lines)
    return f'<!doctype html><meta charset="utf-8"><title>terminal</title><style>{STYLE}</style><pre>{drawn}</pre>'


def painted(output):
    """Text with escape sequences as text with elements."""
    parts = []
    is_open = False
    for at, part in enumerate(re.split(r"\x1b\[([\d;]*)m", output)):
        if at % 2 == 0:
            parts.append(html.escape(part))
            continue
        if part not in ENDS and part not in CLASSES:
            raise SystemExit(f"the terminal has no color {part}: give it one in {__file__}")
        if is_open:
            parts.append("</span>")
        is_open = part in CLASSES
        if is_open:
            parts.append(f'<span class="{CLASSES[part]}">')
    return "".join(parts)
