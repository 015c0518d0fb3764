"""LiteLLM's settings by path: what one of several places says, and which place overrules which."""

from dataclasses import dataclass

from gateway_project.configuration.document import Mapping, Node
from gateway_project.configuration.litellm.values import Path, Translation, is_null


@dataclass(frozen=True, slots=True)
class Sections:
    """A file's settings, and the translation that notes what becomes of them."""

    translation: Translation
    document: Mapping

    def value(self, *path: str) -> Node | None:
        """Return a setting, however deep."""
        node: Node | None = self.document
        for name in path:
            node = node.get(name) if isinstance(node, Mapping) else None
        return node

    def pick(self, *candidates: tuple[str, ...], why: str) -> tuple[Node | None, Path]:
        """Return the first of some settings that has a value; the others are noted as overruled."""
        chosen: tuple[Node | None, Path] = (None, ())
        for path in candidates:
            node = self.value(*path)
            if node is None or is_null(node):
                continue
            if chosen[0] is None:
                chosen = (node, path)
                self.translation.mapped(path, why)
            else:
                self.translation.without_effect(path, f"{'.'.join(map(str, chosen[1]))} goes before it")
        return chosen
