"""Firefox without a window, driven over Marionette, the protocol that it speaks by itself."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds until a browser that does not answer counts as broken
NOWHERE = {"http": "127.0.0.1", "http_port": 9, "ssl": "127.0.0.1", "ssl_port": 9, "type": 1}
PREFERENCES = {
    "marionette.port": 0,  # any free one; the profile's MarionetteActivePort tells which
    # Files stay as closed to each other as a reader's Firefox keeps them, and the log is about
    # pages alone: the settings that Marionette recommends change both.
    "remote.prefs.recommended": False,
    "devtools.console.stdout.chrome": False,
    "devtools.console.stdout.content": True,
    "browser.dom.window.dump.enabled": True,  # uncaught errors go to the log as well
    "browser.aboutwelcome.enabled": False,  # no page of its own at the start
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    # Otherwise a page that is slow, or left while its script runs, ends with a complaint.
    "dom.ipc.cancel_content_js_when_navigating": False,
    "dom.abort_script_on_child_shutdown": False,
    "dom.max_script_run_time": 0,
    # What Firefox itself asks for goes nowhere; this machine's own addresses need no proxy.
    **{f"network.proxy.{name}": value for name, value in NOWHERE.items()},
}
# Firefox's own loggers put their names first, and its own scripts are at resource: and chrome:.
COMPLAINT = re.compile(
    r"console\.(error|warn): (?![\w.-]+: )|JavaScript (error|warning): (?!resource:|chrome:)"
)
MARK = "the log was read until here"


class Firefox:
    """A Firefox with a new profile in `folder`, and what its pages wrote to the console."""

    def __init__(self, program: str, folder: Path) -> None:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
        (folder / "user.js").write_text("".join(lines), encoding="utf-8")
        self.log = folder / "log.txt"
        options = ["--headless", "--no-remote", "--marionette", "--profile", str(folder)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        try:
            self.stream = self._connect(folder / "MarionetteActivePort")
            self._receive()  # its greeting
            self.call("WebDriver:NewSession")
        except BaseException:
            self.process.kill()
            raise

    def _connect(self, port: Path) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                address = ("127.0.0.1", int(port.read_text()))
                return socket.create_connection(address, PATIENCE).makefile("rwb")
            except (OSError, ValueError):
                time.sleep(0.05)
        raise AssertionError(f"Firefox did not start: {self._log()}")

    def _receive(self) -> Any:
        digits = b""
        while (byte := self.stream.read(1)) != b":":
            assert byte, "Firefox hung up"
            digits += byte
        return json.loads(self.stream.read(int(digits)))

    def call(self, command: str, **parameters: Any) -> Any:
        """Send a command and return what it answers."""
        message = json.dumps([0, 1, command, parameters]).encode()
        self.stream.write(b"%d:%b" % (len(message), message))
        self.stream.flush()
        _, _, error, result = self._receive()
        assert error is None, f"{command}: {error}"
        return result

    def open(self, url: str) -> None:
        self.call("WebDriver:Navigate", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.call("WebDriver:ExecuteScript", script=script, args=arguments)["value"]

    def act(self, *devices: dict[str, Any]) -> None:
        self.call("WebDriver:PerformActions", actions=devices)

    def complaints(self) -> list[str]:
        """What pages have complained about on the console since the last call, and uncaught errors.

        The open page writes a mark behind them, which is waited for: what it has done until now
        is in the log by then.
        """
        before = self._log().count(MARK)
        self.run("setTimeout(text => console.log(text), 0, arguments[0])", MARK)
        end = time.monotonic() + PATIENCE
        while (log := self._log()).count(MARK) == before:
            assert time.monotonic() < end, "Firefox does not write its log"
            time.sleep(0.02)
        lines = log.split(MARK)[before].splitlines()
        return [line for line in lines if COMPLAINT.match(line)]

    def _log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        self.call("Marionette:Quit", flags=["eForceQuit"])
        self.stream.close()
        self.process.wait(PATIENCE)
