"""One door to a declaration in a file, whichever of the two formats it is written in."""

import os
from collections.abc import Mapping
from pathlib import Path

from gateway_project.configuration.declared import Declared
from gateway_project.configuration.document import read_document
from gateway_project.configuration.litellm.translation import is_litellm, translate
from gateway_project.configuration.native import read_native
from gateway_project.configuration.report import Report


def load_config(path: Path | str, environ: Mapping[str, str] | None = None) -> tuple[Declared, Report | None]:
    """Return what a file declares, and for LiteLLM's files the report on every key.

    What is wrong inside the file travels in `Declared.problems`, and `apply` refuses it. Raises ConfigurationRefused
    where the file can't be read at all.
    """
    document = read_document(Path(path))
    environ = os.environ if environ is None else environ
    if is_litellm(document):
        return translate(document, environ)
    return read_native(document, environ), None
