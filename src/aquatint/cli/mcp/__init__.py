"""aquatint mcp: the tasks of a server as tools for language models (Model Context Protocol)."""
