"""The MLflow dashboard on the project's runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import psutil

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.redaction import redacted
from pipeline.tracking import sync as runs
from pipeline.tracking.address import tracking_uri

HOST = "127.0.0.1"
LOOPBACK = (HOST, "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
"""Hosts that stand for all addresses of this machine."""
ALLOWED, ORIGINS = "MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"
"""MLflow's variables for the names a browser may call its server by, and the pages that may use it."""
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
            sys.stderr.write(
                f"manex: --host {host}: no password: whoever reaches it can read and change all runs\n"
                f"manex: it answers to the names and addresses of this machine; to more with {ALLOWED} and {ORIGINS}\n"
            )
    counts = runs.sync(paths)
    experiment = runs.experiment_id(paths)
    if counts.logged + counts.present == 0:
        say("no runs yet; dvc repro makes them")
    name = socket.gethostname() if host in EVERYWHERE else host
    base = redacted(uri).rstrip("/") if remote else f"http://{_bracketed(name)}:{port}"
    say(f"{base}/#/experiments/{experiment}/runs?compareRunsMode=CHART")
    if remote:
        return
    say("Ctrl-C ends it")
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    # The address goes through the environment: it may hold a password, and everyone on this machine can read arguments.
    address = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    folder = {"MLFLOW_ARTIFACTS_DESTINATION": str(paths.artifacts.resolve())}
    command += QUIET_OPTIONS if host in LOOPBACK else (*QUIET_OPTIONS, *_guests(host, port))
    server = subprocess.Popen(command, env={**os.environ, **QUIET, **address, **folder})
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


def _guests(host: str, port: int) -> list[str]:
    """Options that let browsers elsewhere in: MLflow refuses names it does not expect, and pages of other origins.

    They are named one by one, not all allowed: else any page that a guest opens could use the guest's browser here.
    """
    names = {"localhost", HOST, "::1", socket.gethostname(), socket.getfqdn()}
    names |= {address.address.partition("%")[0] for link in psutil.net_if_addrs().values() for address in link}
    names |= {host} - {*EVERYWHERE}
    known = sorted({_bracketed(name.lower()) for name in names})
    hosts = [every for name in known for every in (name, f"{name}:{port}")]
    origins = [f"http://{name}:{port}" for name in known]
    wanted = {"--allowed-hosts": (ALLOWED, hosts), "--cors-allowed-origins": (ORIGINS, origins)}
    return [
        word
        for option, (variable, names_here) in wanted.items()
        for word in (option, ",".join(filter(None, [*names_here, os.environ.get(variable, "")])))
    ]


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _need_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        other = port + 1 if port < 65535 else port - 1
        raise UserError(
            f"port {port} of {host} cannot be used ({error.strerror}); another one: manex dashboard --port {other}"
        ) from None
