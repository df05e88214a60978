"""The MLflow dashboard on the project's runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.tracking import sync as runs
from pipeline.tracking.store import redacted, tracking_uri

HOST = "127.0.0.1"
LOOPBACK = (HOST, "localhost")
QUIET_OPTIONS = ("--uvicorn-opts", "--log-level warning")
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight idle processes for judging chatbots
    "PYTHONWARNINGS": "ignore",  # deprecations inside the server
}


def serve(paths: Paths, port: int, say: Callable[[str], None], host: str = HOST) -> None:
    """Bring MLflow up to date and serve it until Ctrl-C, to this machine alone unless another host is asked for.

    A tracking server (MLFLOW_TRACKING_URI=http...) serves itself: then only its address is printed.

    Raises:
        UserError: the port is taken, or MLflow cannot be started.
    """
    uri = tracking_uri(paths)
    remote = uri.startswith(("http://", "https://"))
    if not remote:
        _need_free(host, port)
        if host not in LOOPBACK:
            sys.stderr.write(f"manex: --host {host}: no password: whoever reaches it can read and change all runs\n")
    counts = runs.sync(paths)
    experiment = runs.experiment_id(paths)
    if counts.logged + counts.present == 0:
        say("no runs yet; dvc repro makes them")
    base = redacted(uri).rstrip("/") if remote else f"http://{host}:{port}"
    say(f"{base}/#/experiments/{experiment}/runs?compareRunsMode=CHART")
    if remote:
        return
    say("Ctrl-C ends it")
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    # The address goes through the environment: it may hold a password, and everyone on this machine can read arguments.
    address = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    folder = {"MLFLOW_ARTIFACTS_DESTINATION": str(paths.root.resolve() / "mlartifacts")}
    server = subprocess.Popen([*command, *QUIET_OPTIONS], env={**os.environ, **QUIET, **address, **folder})
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server does not outlive us
    try:
        code = server.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        server.terminate()
        server.wait()
    if code:
        raise UserError(f"mlflow server ended with code {code}; its messages are above")


def _need_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = port + 1 if port < 65535 else port - 1
            raise UserError(
                f"port {port} of {host} cannot be used ({error.strerror}); another one: manex dashboard --port {other}"
            ) from None
