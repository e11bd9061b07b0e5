"""Scenes of the studio: one module each, with one public function `compose`; the registry finds them by name."""
