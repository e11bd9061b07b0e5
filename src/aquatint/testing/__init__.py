"""Tools for tests and for people who try things out: public, for plug-in authors too."""
