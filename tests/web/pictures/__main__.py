"""Takes the pictures of docs/pictures: what the demo writes to a terminal, and its dashboard.

python3 tests/web/pictures PROGRAM FOLDER, where PROGRAM is the binary `audit`; see CONTRIBUTING.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import day
import terminal
from browser import Browser

STORE = "sqlite:demo.db"
THEMES = ("light", "dark")
WIDTH, HEIGHT = 1280, 860
# As narrow as the widest table allows: a README makes pictures smaller.
TERMINAL_WIDTH = 1120
NARROW = 320
FILTER = "outcome:denied,rate_limited since:24h"
# What the live tail is shown with, beside those that came before.
LIVE_TOOLS = ("get_weather", "search", "flaky", "get_weather", "delete_customer", "search", "make_coffee")


def main(program, folder, *options):
    """Takes all pictures; with `--narrow` those of the dashboard as on a telephone."""
    program, folder = Path(program).resolve(), Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    width = NARROW if "--narrow" in options else WIDTH
    with tempfile.TemporaryDirectory() as work, Browser() as browser:
        audit = Program(program, Path(work))
        command, output = audit.asked("audit demo")
        pages = {"terminal-demo": terminal.page([(command, shortened(output))])}
        audit.fill()
        with audit.serving() as served:
            pages["terminal-questions"] = terminal.page(questions(audit))
            if width == WIDTH:
                for name, page in pages.items():
                    photograph_terminal(browser, page, folder / name)
            photograph_dashboard(browser, served, audit.marked(), width, folder)


def shortened(output):
    """What the demo tells without the calls in the middle, and without its advice at the end."""
    beginning, rest = output.split("\n 5  ")
    return beginning + "\n\x1b[2m ⋮\x1b[0m\n" + rest[rest.index("11  ") :].split("\nLook closer")[0]


def questions(audit):
    return [
        audit.asked("audit events outcome:denied,rate_limited --limit 5"),
        audit.asked("audit stats tools"),
    ]


def photograph_terminal(browser, page, path):
    browser.size(TERMINAL_WIDTH, HEIGHT)
    for theme in THEMES:
        browser.prefer(theme)
        browser.open("data:text/html;base64," + base64.b64encode(page.encode()).decode())
        keep(browser.picture(), path, theme)


def photograph_dashboard(browser, served, marked, width, folder):
    browser.size(width, HEIGHT)
    browser.open(served.dashboard + "login")
    browser.type("input[name=token]", served.token)
    browser.click("main form button")
    browser.until("document.querySelector('header nav')")
    query = urllib.request.quote(FILTER)
    pages = {
        "overview": ("", "document.querySelector('.chart')", 1000),
        "explorer": (f"explore?q={query}", "document.querySelector('.facet')", 860),
        "event": (f"event/{marked}", "document.querySelector('mark')", None),
    }
    for name, (path, is_there, most) in pages.items():
        for theme in THEMES:
            browser.prefer(theme)
            browser.open(served.dashboard + path)
            browser.until(f"document.readyState === 'complete' && {is_there}")
            keep(browser.picture(most if width == WIDTH else None), folder / name, theme)
    for theme in THEMES:
        browser.prefer(theme)
        browser.open(served.dashboard + "live")
        browser.until("document.querySelector('#live-state').dataset.state === 'live'")
        rows = "document.querySelectorAll('.events tbody tr')"
        browser.run(f"window.first = {rows}[0].innerHTML;")
        for tool in LIVE_TOOLS:
            served.call(tool)
        browser.until(f"[...{rows}].findIndex(it => it.innerHTML === window.first) === {len(LIVE_TOOLS)}")
        keep(browser.picture(700), folder / "live", theme)


def keep(png, path, theme):
    """With as many colors as it needs to look the same, which makes it small."""
    command = ["pngquant", "--speed=1", "--quality=85-100", "--strip", "-"]
    try:
        small = subprocess.run(command, input=png, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise SystemExit("pngquant is missing (Debian: apt-get install pngquant)")
    path.with_name(f"{path.name}-{theme}.png").write_bytes(small)


class Program:
    """The binary in a folder of its own, so that nothing of this machine is in a picture."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AUDIT_STORE": STORE,
            "COLUMNS": "160",
        }

    def run(self, *arguments):
        done = subprocess.run([self.path, *arguments], **self.where(), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"audit {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    def asked(self, command):
        """A command as one types it, and what it writes to a terminal."""
        words = command.split()[1:]
        store = ["--store", STORE] if words[0] == "demo" else ["--output", "table"]
        return command, self.run(*words, *store, "--color", "always")

    def fill(self):
        """Adds a day of calls to those of the demo."""
        self.run("export", "--to", "calls.jsonl")
        calls = (self.folder / "calls.jsonl").read_text().splitlines()
        (self.folder / "day.jsonl").write_text(day.spread(calls, datetime.now(timezone.utc)))
        self.run("import", "day.jsonl")

    def marked(self):
        """The id of an event whose request was redacted."""
        calls = (self.folder / "calls.jsonl").read_text().splitlines()
        return next(event["id"] for event in map(json.loads, calls[:-1]) if "[REDACTED:" in str(event))

    @contextmanager
    def serving(self):
        """The demo with its dashboard, until the block ends."""
        command = [self.path, "demo", "--store", STORE, "--serve"]
        process = subprocess.Popen(command, **self.where(), stdout=subprocess.PIPE, text=True)
        try:
            yield Served(process.stdout)
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            process.wait()

    def where(self):
        return {"cwd": self.folder, "env": self.environment}


class Served:
    """What the demo says of where it serves."""

    def __init__(self, output):
        said = ""
        for line in output:
            said += line
            # The last line of the call that it shows.
            if "-d '{" in line:
                break
        else:
            raise SystemExit(f"the demo ended before it served:\n{said}")
        self.dashboard, self.token = re.search(r"The dashboard: (\S+), log in with (\S+)", said).groups()
        self.gateway = re.search(r"The gateway: ([^\s,]+)", said)[1]
        self.key = re.search(r"-H 'authorization: Bearer (\S+)'", said)[1]

    def call(self, tool):
        """Calls a tool of the gateway, whatever comes of it."""
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": {"city": "Bern", "query": "holidays", "customer_id": "C-1042"}},
        }
        headers = {
            "authorization": f"Bearer {self.key}",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        request = urllib.request.Request(self.gateway, json.dumps(message).encode(), headers)
        urllib.request.urlopen(request).read()


if __name__ == "__main__":
    main(*sys.argv[1:])
