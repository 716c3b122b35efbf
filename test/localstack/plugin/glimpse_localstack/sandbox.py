"""One execution environment: a Node process that asks for its invocations over the Lambda Runtime API (2018-06-01).

Knows nothing of LocalStack. One invocation at a time; a process that died or was out of time is started anew by the next one.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST_ANSWER_BYTES = 6 * 1024 * 1024
"""Of a synchronous invocation (AWS Lambda developer guide, "Quotas")."""

LOOK_SECONDS = 0.05
"""Between two looks whether the process is still there."""


class StartFailed(Exception):
    """The process ended, or asked for nothing in time; the message has its last words."""


class InitError(Exception):
    """The code could not be loaded; `payload` is what Lambda answers."""

    def __init__(self, payload: bytes):
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@dataclass
class Answer:
    payload: bytes
    is_error: bool
    logs: str


@dataclass
class _Life:
    """What belongs to one process: a request of a dead one must not take an invocation of the next."""

    events: queue.Queue = field(default_factory=queue.Queue)
    answers: queue.Queue = field(default_factory=queue.Queue)
    ready: threading.Event = field(default_factory=threading.Event)
    init_error: bytes | None = None
    process: subprocess.Popen | None = None

    @property
    def is_dead(self) -> bool:
        return self.process is None or self.process.poll() is not None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request, _address) -> None:
        """Its process is gone: that is told where its call is."""


class Sandbox:
    """`command` runs in `folder` with `env`; seconds are those of the function and of its start."""

    def __init__(self, command: list[str], folder: str, env: dict[str, str], seconds: int, start_seconds: float):
        self.command, self.folder, self.env = command, folder, env
        self.seconds, self.start_seconds = seconds, start_seconds
        self.log: list[str] = []
        self._life = _Life()
        self._closed = False
        self._server = _Server(("127.0.0.1", 0), _api_of(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def start(self) -> None:
        """Raises StartFailed, InitError."""
        life = self._life = _Life()
        api = f"127.0.0.1:{self._server.server_address[1]}"
        life.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env={**self.env, "AWS_LAMBDA_RUNTIME_API": api},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(life.process,), daemon=True).start()
        end = time.monotonic() + self.start_seconds
        while not life.ready.wait(LOOK_SECONDS):
            if life.is_dead or time.monotonic() > end:
                self._kill()
                why = "out of time" if time.monotonic() > end else "ended"
                raise StartFailed(f"{why} before it asked for an invocation: {self.logs()[-500:]}")
        if life.init_error is not None:
            self._kill()
            raise InitError(life.init_error)

    def invoke(self, request_id: str, arn: str, payload: str, trace_id: str) -> Answer:
        """Raises StartFailed, InitError when a process that is gone cannot be started anew."""
        if self._life.is_dead:
            self.start()
        life, mark, end = self._life, len(self.log), time.monotonic() + self.seconds
        deadline_ms = int((time.time() + self.seconds) * 1000)
        life.events.put((request_id, arn, payload, trace_id, deadline_ms))
        while True:
            try:
                is_error, body = life.answers.get(timeout=LOOK_SECONDS)
                break
            except queue.Empty:
                if life.is_dead:
                    is_error, body = True, _error(request_id, "Runtime.ExitError", "Error: Runtime exited without providing a reason")
                elif time.monotonic() > end:
                    is_error, body = True, _error(request_id, "Sandbox.Timedout", f"Error: Task timed out after {self.seconds:.2f} seconds")
                else:
                    continue
                self._kill()
                break
        if len(body) > LARGEST_ANSWER_BYTES:
            is_error, body = True, _error(request_id, "Function.ResponseSizeTooLarge", f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER_BYTES} bytes).")
        return Answer(body, is_error, "".join(self.log[mark:]) or f"END RequestId: {request_id}\n")

    def close(self) -> None:
        """Ends the process, whatever it does. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._life.events.put(None)
        self._kill()
        self._server.shutdown()
        self._server.server_close()

    def logs(self) -> str:
        return "".join(self.log)

    def _read(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            self.log.append(line)

    def _kill(self) -> None:
        process = self._life.process
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(5)


def _error(request_id: str, error_type: str, text: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": f"RequestId: {request_id} {text}"}).encode()


def _api_of(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        """`GET …/invocation/next`, `POST …/invocation/{id}/response`, `…/error`, `…/init/error`."""

        protocol_version = "HTTP/1.1"
        current: str | None = None

        def log_message(self, *_args) -> None:
            pass

        def do_GET(self) -> None:
            life = sandbox._life
            life.ready.set()
            event = life.events.get()
            if event is None:
                return self._send(410)
            request_id, arn, payload, trace_id, deadline_ms = event
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": arn,
                "Lambda-Runtime-Trace-Id": trace_id,
            }
            self._send(200, payload.encode(), headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            life, words = sandbox._life, self.path.rsplit("/", 2)
            if self.path.endswith("/init/error"):
                life.init_error = body
                life.ready.set()
            else:
                life.answers.put((words[-1] == "error", body))
            self._send(202)

        def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Api
