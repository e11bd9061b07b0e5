"""aquatint demo: the whole main job against a server of its own, with pictures at the end."""


def demo() -> None:
    """Placeholder until the demo helper lands."""
