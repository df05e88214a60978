"""Where the MLflow runs go."""

from __future__ import annotations

import os
from urllib.parse import quote

from pipeline.paths import Paths


def tracking_uri(paths: Paths) -> str:
    """MLFLOW_TRACKING_URI, or the database under the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(paths)


def local_uri(paths: Paths) -> str:
    """The database under the project; what a URI would read otherwise in its path, such as `?`, is quoted."""
    return f"sqlite:///{quote(str(paths.mlflow.resolve()))}"
