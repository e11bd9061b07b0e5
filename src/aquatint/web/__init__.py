"""The web pages: playground, gallery, tasks and dashboard. They know nothing but the public API."""
