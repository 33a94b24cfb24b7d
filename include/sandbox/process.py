"""Starting a real sandbox process: what the tests, the demo and the benchmark share."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from include.sandbox.control import SandboxControl

LISTENING = "CJ sandbox listening on "
ROOT = Path(__file__).parents[2]


class SandboxFailed(RuntimeError):
    """The sandbox did not start; the message holds what it said."""


class SandboxProcess:
    """A sandbox of its own process. `url` is its address, `control` its control API. Ends with the `with` block."""

    url: str
    control: SandboxControl

    def __init__(self, state: Path, port: int | None, seed: Path | None, knobs: dict[str, Any], start_timeout: float) -> None:
        self._state, self._port, self._seed, self._knobs, self._timeout = state, port or 0, seed, knobs, start_timeout
        self._process: subprocess.Popen[str] | None = None
        self.log = state.with_suffix(".log")
        """What the process complained about, beside its state."""
        self._start()

    def __enter__(self) -> SandboxProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Ends it as an operator would (SIGTERM), and by force if it does not listen."""
        self._end(gently=True)

    def kill(self) -> None:
        """Ends it without warning, as a machine that dies would."""
        self._end(gently=False)

    def restart(self) -> None:
        """Starts it again on the same state and address; knobs turned since stay turned. Kills it first if it still runs."""
        self._end(gently=False)
        self._knobs, self._seed = {}, None
        self._start()

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "include.sandbox", "--port", str(self._port), "--state", str(self._state)]
        if self._seed is not None:
            command += ["--seed", str(self._seed)]
        for name, value in self._knobs.items():
            command += [f"--{name.replace('_', '-')}", str(value).lower() if isinstance(value, bool) else str(value)]
        return command

    def _start(self) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                self._command(), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        line = _first_line(self._process, self._timeout)
        if not line.startswith(LISTENING):
            self._end(gently=False)
            said = self.log.read_text(encoding="utf-8").strip() or line or "nothing"
            raise SandboxFailed(f"The sandbox did not start within {self._timeout:g} s. It said: {said}")
        self.url = line.removeprefix(LISTENING).strip()
        self._port = int(self.url.rpartition(":")[2])
        self.control = SandboxControl(self.url)

    def _end(self, gently: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if hasattr(self, "control"):
            self.control.close()
        if process.poll() is None:
            process.terminate() if gently else process.kill()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _first_line(process: subprocess.Popen[str], timeout: float) -> str:
    """What the process prints first; empty if it ends or the time is over before."""
    out: IO[str] | None = process.stdout
    assert out is not None
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if selector.select(left):
                return out.readline()
    return ""


def start_sandbox(
    state: Path, port: int | None = None, seed: Path | None = None, *, start_timeout: float = 60.0, **knobs: Any
) -> SandboxProcess:
    """Starts `python -m include.sandbox` on loopback and returns once it listens; use it as a context manager.

    `port` None takes a free one. `knobs` are those of `include.sandbox.knobs`. Raises SandboxFailed with what the process said.
    """
    return SandboxProcess(Path(state), port, seed, knobs, start_timeout)
