"""The plugin: LocalStack's RuntimeExecutor over a sandbox. Chosen by LAMBDA_RUNTIME_EXECUTOR=node-process.

LAMBDA_NODE is the Node to run (default `node`), LAMBDA_NODE_BOOTSTRAP the runtime inside the process (local/lambda/bootstrap.mjs).
"""

import atexit
import os

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from .sandbox import InitError, Sandbox, StartFailed

INHERITED = ("PATH", "LANG", "TMPDIR")
"""All that a function sees of LocalStack's own environment."""

_open: set[Sandbox] = set()


@atexit.register
def _close_all() -> None:
    for sandbox in list(_open):
        sandbox.close()


class NodeProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self.sandbox: Sandbox | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        folder = str(self.function_version.config.code.get_unzipped_code_location())
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        env = {**inherited, **{name: str(value) for name, value in env_vars.items()}, "LAMBDA_TASK_ROOT": folder}
        command = [os.environ.get("LAMBDA_NODE", "node"), os.environ["LAMBDA_NODE_BOOTSTRAP"]]
        seconds = self.function_version.config.timeout
        self.sandbox = Sandbox(command, folder, env, seconds, config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT)
        _open.add(self.sandbox)
        with _as_localstack_says():
            self.sandbox.start()

    def stop(self) -> None:
        if self.sandbox is not None:
            self.sandbox.close()
            _open.discard(self.sandbox)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        with _as_localstack_says():
            answer = self.sandbox.invoke(
                payload["invoke-id"], payload["invoked-function-arn"], payload["payload"], payload["trace-id"]
            )
        return InvocationResult(payload["invoke-id"], answer.payload, is_error=answer.is_error, logs=answer.logs)

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        return "" if self.sandbox is None else self.sandbox.logs()

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass

    @classmethod
    def validate_environment(cls) -> bool:
        return os.path.isfile(os.environ.get("LAMBDA_NODE_BOOTSTRAP", ""))


class _as_localstack_says:
    """A sandbox's errors as those that LocalStack answers with."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind, error, _trace) -> None:
        if isinstance(error, InitError):
            raise StatusErrorException("Environment startup failed", payload=error.payload) from error
        if isinstance(error, StartFailed):
            raise LambdaRuntimeException(str(error)) from error


class NodeProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "node-process"

    def load(self, *_args, **_kwargs) -> type[RuntimeExecutor]:
        return NodeProcessExecutor
